// Answers operations: what the process measures, whether it lives, whether it should get traffic, and how it is configured.
#include "millrace/app/admin.hpp"

#include <algorithm>
#include <array>

#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "purge_order.hpp"

namespace millrace::app {
namespace {

constexpr std::uint64_t no_body = 0, purge_bytes_max = 1024 * 1024;
constexpr std::string_view purge_path = "/cache/purge";

message::Reply text_reply(int status, std::string_view type, std::string body) {
    message::Reply reply;
    reply.status = status;
    reply.headers.add("Content-Type", type);
    reply.headers.add("Cache-Control", "no-store");
    reply.body = std::move(body);
    return reply;
}

message::Reply json_reply(int status, std::string body) { return text_reply(status, "application/json", std::move(body)); }

message::Reply readiness_reply(const Readiness& readiness) {
    std::string body = readiness.ready ? "{\"ready\":true" : "{\"ready\":false";
    for (const auto& [name, state] : readiness.checks) {
        body += ',';
        text::append_json_string(body, name);
        body += ':';
        text::append_json_string(body, state);
    }
    return json_reply(readiness.ready ? 200 : 503, body + "}\n");
}

// What is not there, or not by this method.
message::Reply refuse(const message::Request& request) {
    constexpr std::array pages = {"/metrics", "/livez", "/readyz", "/config", "/cache"};
    if (request.path == purge_path) return reply::from_error(Error::of(Fault::method_not_allowed).with_header("Allow", "POST"));
    if (std::ranges::find(pages, request.path) == pages.end())
        return reply::from_error(Error::of(
            Fault::no_relation, "The admin listener has /metrics, /livez, /readyz, /config, /cache and /cache/purge"));
    return reply::from_error(Error::of(Fault::method_not_allowed).with_header("Allow", "GET, HEAD"));
}

}  // namespace

// The sum of differences takes as long wherever they are.
bool AdminHandler::knows(const message::Request& request) const {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view sent = request.header("Authorization");
    if (sent.size() != scheme.size() + token_.size() || !text::iequals(sent.substr(0, scheme.size()), scheme)) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < token_.size(); ++i)
        difference |= static_cast<unsigned char>(sent[scheme.size() + i]) ^ static_cast<unsigned char>(token_[i]);
    return difference == 0;
}

http::BodyRule AdminHandler::body_rule(const message::Request& head) const {
    return {head.path == purge_path && head.method == message::Method::post ? purge_bytes_max : no_body};
}

http::Answer AdminHandler::answer(const message::Request& request, http::Trace& trace, net::Source* /*body*/) {
    trace.route = "admin";
    const bool open = request.path == "/livez" || request.path == "/readyz";
    if (!token_.empty() && !open && !knows(request))
        return reply::from_error(
            Error::of(Fault::auth_required, "The admin listener asks for its token").with_header("WWW-Authenticate", "Bearer"));
    if (request.path == purge_path && request.method == message::Method::post) return purge(request);
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    if (!reads) return refuse(request);
    if (request.path == "/metrics") return text_reply(200, "text/plain; version=0.0.4; charset=utf-8", view_.metrics());
    if (request.path == "/livez") return json_reply(200, "{\"live\":true}\n");
    if (request.path == "/readyz") return readiness_reply(view_.readiness());
    if (request.path == "/config") return json_reply(200, view_.config_json());
    if (request.path == "/cache") return json_reply(200, view_.cache_json());
    return refuse(request);
}

// A browser asks before it sends JSON elsewhere, so a page that somebody looks at cannot purge.
http::asio::awaitable<http::Outgoing> AdminHandler::purge(const message::Request& request) {
    if (!text::lower(request.header("Content-Type")).starts_with("application/json"))
        co_return reply::from_error(Error::of(Fault::unknown_media_type, "A purge is sent as application/json"));
    auto order = parse_purge(request.body);
    if (!order) co_return reply::from_error(order.error());
    const auto xid = co_await view_.purge(std::move(*order));
    if (!xid) co_return reply::from_error(xid.error());
    co_return json_reply(200, "{\"xid\":\"" + *xid + "\"}\n");
}

}  // namespace millrace::app
