// The replies that end a request's way, each with what it says of itself: labels for telemetry, Cache-Status for the client.
#include "turn.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cache_status.hpp"
#include "millrace/core/cors.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

// Nobody is told a falsehood: who asks for a write to be seen by a token that is none gets an error rather than any answer.
Result<std::optional<fence::Xid>> consistency_token(const message::Request& request) {
    const std::string_view written = request.header("Consistency-Token");
    if (written.empty()) return std::optional<fence::Xid>();
    const auto token = text::to_int(written);
    if (token && *token > 0) return std::optional(static_cast<fence::Xid>(*token));
    return Error::of(Fault::bad_query, "Consistency-Token must be one that a write was answered with");
}

}  // namespace

RequestHandler::Turn::Turn(const message::Request& r, http::Trace& t, std::shared_ptr<const pipeline::Snapshot> s)
    : request(r), trace(t), snapshot(std::move(s)), wall(net::wall_now()) {
    deadline.at = r.arrived + std::chrono::milliseconds(snapshot->settings.limits.deadline_ms);
    trace.keep = snapshot;
    if (snapshot->settings.api.server_timing) lap_began = net::now();
}

Result<void> RequestHandler::Turn::read_token() {
    auto read = consistency_token(request);
    if (!read) return std::move(read).error();
    token = *read;
    return {};
}

void RequestHandler::Turn::identify(auth::Identity who) {
    identity = std::move(who);
    if (identity.authenticated) trace.role = identity.role;
}

void RequestHandler::Turn::label(const routes::ApiCatalog& version, const routes::Resource* resource,
                                 const routes::ApiFunction* function) {
    api = &version;
    trace.version = api->version();
    if (resource != nullptr) trace.route = resource->name;
    if (function != nullptr) trace.route = function->route;
}

bool RequestHandler::Turn::accepts(const cache::Entry& entry) const { return !token || entry.snapshot.sees(*token); }

Duration RequestHandler::Turn::lap() {
    if (!snapshot->settings.api.server_timing) return {};
    const TimePoint now = net::now();
    return now - std::exchange(lap_began, now);
}

http::Outgoing RequestHandler::Turn::outgoing(message::Reply reply) {
    const config::ApiSettings& api_settings = snapshot->settings.api;
    cors::add_headers(request, api_settings.cors_origins, reply.headers);
    if (!api_settings.trace_header.empty())
        reply.headers.set(api_settings.trace_header, request.header(api_settings.trace_header));
    if (api_settings.server_timing && trace.error_code.empty()) {
        timings.transaction = trace.lane_wait + trace.database + trace.redis;
        timings.response = std::max(lap() - timings.transaction, Duration::zero());
        reply.headers.add("Server-Timing", reply::server_timing(timings));
    }
    return {std::move(reply), std::move(body)};
}

message::Reply RequestHandler::Turn::failed(const Error& error) {
    trace.error_code = error.code;
    const bool minimal = snapshot->settings.api.error_verbosity == "minimal";
    message::Reply reply = reply::from_error(error, minimal ? reply::Verbosity::minimal : reply::Verbosity::verbose);
    if (api != nullptr) routes::add_version_headers(api->table(), reply.headers);
    return reply;
}

message::Reply RequestHandler::Turn::hit(const cache::Entry& entry, events::CacheResult where) {
    trace.cache = where;
    message::Reply reply = pipeline::from_entry(entry, wall);
    reply.headers.add("Cache-Status", cache_status_hit(entry, wall, where));
    pipeline::apply_conditions(request, reply);
    return reply;
}

void RequestHandler::Turn::answered(const pg::Timing& timing) {
    trace.lane_wait = timing.waited;
    trace.database = timing.took;
}

void RequestHandler::Turn::missed(message::Reply& reply, bool stored) {
    trace.cache = events::CacheResult::miss;
    reply.headers.add("Cache-Status", stored ? "millrace; fwd=uri-miss; stored" : "millrace; fwd=uri-miss");
}

void RequestHandler::Turn::passed_by(message::Reply& reply, std::string_view why) {
    trace.cache = events::CacheResult::bypass;
    reply.headers.add("Cache-Status", "millrace; fwd=bypass; detail=" + std::string(why));
}

}  // namespace millrace::app
