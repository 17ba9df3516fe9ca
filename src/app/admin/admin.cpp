// Answers operations: what the process measures, whether it lives, whether it should get traffic, and how it is configured.
#include "millrace/app/admin.hpp"

#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

constexpr std::uint64_t no_body = 0;

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

message::Reply refuse(const message::Request& request) {
    if (request.path != "/metrics" && request.path != "/livez" && request.path != "/readyz" && request.path != "/config")
        return reply::from_error(Error::of(Fault::no_relation, "The admin listener has /metrics, /livez, /readyz and /config"));
    return reply::from_error(Error::of(Fault::method_not_allowed).with_header("Allow", "GET, HEAD"));
}

}  // namespace

std::uint64_t AdminHandler::body_bytes_max(const message::Request&) const { return no_body; }

http::asio::awaitable<http::Outgoing> AdminHandler::handle(const message::Request& request, http::Trace& trace) {
    trace.route = "admin";
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    if (!reads) co_return refuse(request);
    if (request.path == "/metrics") co_return text_reply(200, "text/plain; version=0.0.4; charset=utf-8", view_.metrics());
    if (request.path == "/livez") co_return json_reply(200, "{\"live\":true}\n");
    if (request.path == "/readyz") co_return readiness_reply(view_.readiness());
    if (request.path == "/config") co_return json_reply(200, view_.config_json());
    co_return refuse(request);
}

}  // namespace millrace::app
