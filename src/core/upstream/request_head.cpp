// The head of a request as a service gets it.
#include <algorithm>
#include <array>

#include "hops.hpp"
#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {
namespace {

using message::Method;

// Those that are one connection's, whether or not Connection names them.
constexpr std::array<std::string_view, 10> of_a_hop = {
    "connection",         "keep-alive",          "proxy-connection",         "te", "trailer", "transfer-encoding", "upgrade",
    "proxy-authenticate", "proxy-authorization", "proxy-authentication-info"};
// What is made here, or was for us; and what others say of the client, which a service must not take for what we say.
constexpr std::array<std::string_view, 7> made_here = {"host",         "content-length", "expect",   "via",
                                                       "x-request-id", "forwarded",      "x-real-ip"};
constexpr std::string_view forwarded_prefix = "x-forwarded-";
constexpr std::array<std::string_view, 2> credentials = {"authorization", "apikey"};
// The client's conditions, where the answer is wanted whole.
constexpr std::array<std::string_view, 2> conditions = {"if-none-match", "if-modified-since"};

template <std::size_t Count>
bool is_one_of(std::string_view name, const std::array<std::string_view, Count>& names) {
    return std::ranges::any_of(names, [&](std::string_view each) { return text::iequals(each, name); });
}

void append(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

// By the route, whatever stands there else.
bool is_set(const routes::UpstreamPolicy& policy, std::string_view name) {
    return std::ranges::any_of(policy.set_headers, [&](const auto& set) { return text::iequals(set.first, name); });
}

bool goes_on(const Sending& sending, std::string_view name, const std::vector<std::string_view>& named) {
    const routes::UpstreamPolicy& policy = sending.route.upstream;
    if (ends_here(name, named) || is_one_of(name, made_here)) return false;
    if (text::iequals(name.substr(0, forwarded_prefix.size()), forwarded_prefix)) return false;
    if (!policy.forward_authorization && is_one_of(name, credentials)) return false;
    if (sending.to_keep && is_one_of(name, conditions)) return false;
    return !is_set(policy, name);
}

// RFC 9110 §7.6.3: whoever passes it on stands at its end.
std::string joined_via(const message::Request& request) {
    std::string out;
    for (const message::Header& header : request.headers)
        if (text::iequals(header.name, "via")) (out += header.value) += ", ";
    return out += via;
}

std::string_view scheme_of(const message::Request& request) { return request.encrypted ? "https" : "http"; }

// RFC 7239 §6: an IPv6 address stands in brackets, and both in quotes.
std::string forwarded(const message::Request& request) {
    const bool v6 = request.peer.find(':') != std::string_view::npos;
    std::string out = v6 ? "for=\"[" + std::string(request.peer) + "]\"" : "for=" + std::string(request.peer);
    const std::string_view host = request.header("Host");
    const bool quotable = host.find_first_of("\"\\") == std::string_view::npos;
    if (!host.empty() && quotable) out.append(";host=\"").append(host).append("\"");
    return out.append(";proto=").append(scheme_of(request));
}

// For whom it is, as we know it ourselves: lists that a client may have begun would be believed by their beginning.
void append_forwarding(std::string& out, const Sending& sending) {
    const message::Request& request = sending.request;
    const auto say = [&](std::string_view name, std::string_view value) {
        if (!is_set(sending.route.upstream, name)) append(out, name, value);
    };
    say("X-Request-Id", sending.request_id);
    say("Via", joined_via(request));
    say("Forwarded", forwarded(request));
    say("X-Forwarded-For", request.peer);
    say("X-Forwarded-Proto", scheme_of(request));
}

// One framing or the other, never both (RFC 9112 §6).
void append_framing(std::string& out, const Sending& sending) {
    const Method method = sending.request.method;
    if (sending.streams && !sending.length) return append(out, "Transfer-Encoding", "chunked");
    const std::uint64_t length = sending.streams ? *sending.length : sending.request.body.size();
    const bool has_body = method == Method::post || method == Method::put || method == Method::patch;
    if (has_body || length > 0) append(out, "Content-Length", std::to_string(length));
}

}  // namespace

bool ends_here(std::string_view field, const std::vector<std::string_view>& named) {
    const auto same = [&](std::string_view each) { return text::iequals(each, field); };
    return is_one_of(field, of_a_hop) || std::ranges::any_of(named, same);
}

void append_list(std::vector<std::string_view>& out, std::string_view value) {
    for (const std::string_view each : text::split(value, ','))
        if (const auto name = text::trim(each); !name.empty()) out.push_back(name);
}

std::string request_head(const Sending& sending, const url::Url& service) {
    const message::Request& request = sending.request;
    const routes::UpstreamPolicy& policy = sending.route.upstream;
    std::string out(message::name(request.method));
    out.append(" ").append(service.target);
    if (policy.path.empty()) {
        out.append("/").append(text::percent_encode(sending.route.name));
    } else {
        const bool doubled = policy.path.ends_with('/') && (!sending.below.empty() || policy.path.size() == 1);
        out.append(policy.path, 0, policy.path.size() - (doubled ? 1 : 0));
    }
    out.append(sending.below);
    if (out.ends_with(' ')) out += '/';
    if (!request.query.empty()) out.append("?").append(request.query);
    out += " HTTP/1.1\r\n";
    append(out, "Host", service.authority);
    std::vector<std::string_view> named;
    for (const message::Header& header : request.headers)
        if (text::iequals(header.name, "connection")) append_list(named, header.value);
    for (const message::Header& header : request.headers)
        if (goes_on(sending, header.name, named)) append(out, header.name, header.value);
    append_forwarding(out, sending);
    if (!sending.known.etag.empty()) append(out, "If-None-Match", sending.known.etag);
    if (!sending.known.last_modified.empty()) append(out, "If-Modified-Since", sending.known.last_modified);
    for (const auto& [name, value] : policy.set_headers)
        if (!message::frames_message(name) || text::iequals(name, "date")) append(out, name, value);
    append_framing(out, sending);
    return out += "\r\n";
}

}  // namespace millrace::upstream
