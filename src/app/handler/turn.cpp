// The replies that end a request's way, each with what it says of itself: labels for telemetry, Cache-Status for the client.
#include "turn.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cache_status.hpp"
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

// No page that somebody looks at may take an answer for a script, run anything in it, or show it within itself. What is a page
// by itself (a media type handler's) says so on its own.
void secure(message::HeaderBlock& headers) {
    static const auto data = message::HeaderBlock::from_lines(
        "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    static const auto page = message::HeaderBlock::from_lines("X-Content-Type-Options: nosniff\r\n");
    headers.append(headers.get("Content-Type").starts_with("text/html") ? page : data);
}

}  // namespace

RequestHandler::Turn::Turn(const message::Request& r, http::Trace& t, std::shared_ptr<const pipeline::Snapshot> s)
    : request(r), trace(t), snapshot(std::move(s)), wall(net::wall_now()), began(net::now()) {
    patience = congestion::patience_of(r);
    answer_within(std::chrono::milliseconds(snapshot->settings.limits.deadline_ms));
    if (patience) answer_within(*patience);
    trace.keep = snapshot;
    origins = &snapshot->settings.api.cors_origins;
    if (snapshot->settings.api.server_timing) lap_began = began;
}

// From its first byte on.
void RequestHandler::Turn::answer_within(Duration time) { deadline.at = std::min(deadline.at, request.arrived + time); }

pg::Call RequestHandler::Turn::call() const {
    pg::Call call{.authenticated = identity->authenticated, .deadline = deadline};
    call.caller = text::hash64(identity->subject.empty() ? request.peer : std::string_view(identity->subject));
    if (passed == nullptr) return call;
    call.priority = passed->priority;
    if (passed->lanes_max == 0) return call;
    call.route = text::hash64(trace.version) * 31 + text::hash64(trace.route);
    call.route_max = passed->lanes_max;
    return call;
}

Limits::Request RequestHandler::Turn::limited(const routes::ResolvedPolicies& policies) const {
    return {policies, trace.version, trace.route, *identity, request.peer, began};
}

Result<void> RequestHandler::Turn::read_token() {
    auto read = consistency_token(request);
    if (!read) return std::move(read).error();
    token = *read;
    return {};
}

void RequestHandler::Turn::identify(auth::IdentityPointer who) {
    identity = std::move(who);
    if (identity->authenticated) trace.role = identity->role;
    trace.subject = identity->subject;
}

// What does not come from a page need not be looked up twice.
void RequestHandler::Turn::find_origins() {
    if (!request.has_header("Origin")) return;
    const auto found = pipeline::find_route(*snapshot, request, wall);
    if (!found) return;
    if (found->resource != nullptr) origins = &found->resource->policies.cors_origins;
    if (found->function != nullptr && !found->unknown_function) origins = &found->function->policies.cors_origins;
    if (found->upstream != nullptr) origins = &found->upstream->policies.cors_origins;
}

void RequestHandler::Turn::label(const routes::ApiCatalog& version, const routes::Resource* resource,
                                 const routes::ApiFunction* function) {
    api = &version;
    trace.version = api->version();
    if (resource != nullptr) trace.route = resource->name;
    if (function != nullptr) trace.route = function->route;
}

void RequestHandler::Turn::label(const routes::ApiCatalog& version, const routes::Upstream& route) {
    label(version, nullptr, nullptr);
    trace.route = route.name;
}

bool RequestHandler::Turn::accepts(const cache::Entry& entry) {
    const bool accepted = (!token || entry.snapshot.sees(*token)) && (!asked || asked->accept(entry, wall));
    if (!accepted) refused = true;
    return accepted;
}

void RequestHandler::Turn::read_directives(const routes::CachePolicy& policy) {
    if (policy.client_directives) asked = pipeline::client_directives(request);
}

Duration RequestHandler::Turn::lap() {
    if (!snapshot->settings.api.server_timing) return {};
    const TimePoint now = net::now();
    return now - std::exchange(lap_began, now);
}

http::Outgoing RequestHandler::Turn::outgoing(message::Reply reply) {
    const config::ApiSettings& api_settings = snapshot->settings.api;
    cors::add_headers(request, *origins, reply.headers);
    if (api_settings.security_headers) secure(reply.headers);
    reply.headers.append(limit_fields);
    if (!api_settings.trace_header.empty())
        reply.headers.set(api_settings.trace_header, request.header(api_settings.trace_header));
    if (api_settings.server_timing && trace.error_code.empty()) {
        timings.transaction = trace.lane_wait + trace.database + trace.redis;
        timings.response = std::max(lap() - timings.transaction, Duration::zero());
        reply.headers.add("Server-Timing", reply::server_timing(timings));
    }
    pipeline::suit_front(request, reply);
    return {std::move(reply), std::move(body)};
}

void RequestHandler::Turn::note_timing() {
    trace.lane_wait = timing.waited;
    trace.database = timing.took;
}

message::Reply error_reply(const Error& error, const pipeline::Snapshot& snapshot, const routes::ApiCatalog* api) {
    const bool minimal = snapshot.settings.api.error_verbosity == "minimal";
    message::Reply reply = reply::from_error(error, minimal ? reply::Verbosity::minimal : reply::Verbosity::verbose);
    if (api != nullptr) routes::add_version_headers(api->table(), reply.headers);
    // Some errors may be kept by rule of thumb (RFC 9110 §15.1): what is missing now may be there in a moment.
    reply.headers.add("Cache-Control", "no-store");
    return reply;
}

message::Reply RequestHandler::Turn::failed(const Error& error) {
    trace.error_code = error.code;
    return error_reply(error, *snapshot, api);
}

message::Reply RequestHandler::Turn::hit(const Lookup& found, const cache::Variant* variant) {
    trace.cache = found.result;
    trace.cache_reason = found.reason;
    message::Reply reply = pipeline::from_entry(*found.entry, wall, variant);
    const FaultRow& negative = fault_row(Fault::not_singular);
    if (found.entry->status == negative.status) trace.error_code = negative.code;
    const bool collapsed = found.result == events::CacheResult::collapsed;
    say_status(reply, collapsed ? cache_status_forwarded({.collapsed = true}) : cache_status_hit(found, wall));
    return conditioned(std::move(reply));
}

message::Reply RequestHandler::Turn::given_for_error(const Lookup& spare) {
    message::Reply reply = hit(spare, nullptr);
    if (spare.use != cache::Use::fresh) trace.cache_reason = events::CacheReason::error;
    reply.headers.set("Cache-Status", cache_status_stale_for_error(spare, wall));
    return reply;
}

void RequestHandler::Turn::missed(message::Reply& reply, bool stored) {
    if (trace.cache == events::CacheResult::bypass) {
        const bool unfenced = trace.cache_reason == events::CacheReason::unfenced;
        return say_status(reply, cache_status_forwarded({.why = "bypass", .detail = unfenced ? "unfenced" : "not-kept"}));
    }
    trace.cache = events::CacheResult::miss;
    say_status(reply, cache_status_forwarded({.why = refused ? "request" : "uri-miss", .stored = stored}));
}

void RequestHandler::Turn::pass_by(events::CacheReason why) {
    trace.cache = events::CacheResult::bypass;
    trace.cache_reason = why;
}

void RequestHandler::Turn::say_status(message::Reply& reply, std::string status) const {
    if (snapshot->settings.cache.status_key) status += cache_status_key(cache_key);
    reply.headers.add("Cache-Status", status);
}

message::Reply RequestHandler::Turn::conditioned(message::Reply reply) {
    if (auto met = pipeline::apply_conditions(request, reply); !met) return failed(met.error());
    return reply;
}

}  // namespace millrace::app
