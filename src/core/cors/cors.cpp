// Answers preflights and marks replies for the browser; a request without Origin is no concern of it.
#include "millrace/core/cors.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "millrace/core/text.hpp"

namespace millrace::cors {
namespace {

constexpr std::string_view allow_origin = "Access-Control-Allow-Origin";
constexpr std::array methods = {"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD"};
constexpr std::string_view methods_line = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
constexpr std::array always_allowed = {"Accept", "Accept-Language", "Content-Language"};
constexpr std::string_view exposed =
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit";
constexpr std::string_view max_age_s = "86400";

bool is_token(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

bool granted(std::string_view origin, const Origins& origins) {
    return !origin.empty() && (origins.empty() || std::ranges::find(origins, origin) != origins.end());
}

void add_permission(std::string_view origin, const Origins& origins, message::HeaderBlock& headers) {
    headers.set(allow_origin, origins.empty() ? "*" : origin);
    if (origins.empty()) return;
    headers.add("Access-Control-Allow-Credentials", "true");
    headers.add("Vary", "Origin");  // a cache in front must not give one page what another may read
}

// "Authorization, Foo, Bar, Accept, …": what was asked for is allowed. Nothing when it is no list of field names.
std::optional<std::string> allowed_headers(std::string_view asked) {
    std::vector<std::string_view> names = {"Authorization"};
    const auto add = [&names](std::string_view name) {
        if (std::ranges::none_of(names, [name](std::string_view known) { return text::iequals(known, name); }))
            names.push_back(name);
    };
    while (!asked.empty()) {
        const std::size_t comma = asked.find(',');
        const std::string_view name = text::trim(asked.substr(0, comma));
        if (!name.empty() && !is_token(name)) return std::nullopt;
        if (!name.empty()) add(name);
        asked.remove_prefix(comma == std::string_view::npos ? asked.size() : comma + 1);
    }
    for (const char* name : always_allowed) add(name);
    std::string line;
    for (const std::string_view name : names) line.append(line.empty() ? "" : ", ").append(name);
    return line;
}

}  // namespace

std::optional<message::Reply> preflight(const message::Request& request, const Origins& origins) {
    if (request.method != message::Method::options) return std::nullopt;
    const std::string_view origin = request.header("Origin"), method = request.header("Access-Control-Request-Method");
    if (!granted(origin, origins) || std::ranges::find(methods, method) == methods.end()) return std::nullopt;
    const auto headers = allowed_headers(request.header("Access-Control-Request-Headers"));
    if (!headers) return std::nullopt;
    message::Reply reply;
    add_permission(origin, origins, reply.headers);
    reply.headers.add("Access-Control-Allow-Headers", *headers);
    reply.headers.add("Access-Control-Allow-Methods", methods_line);
    reply.headers.add("Access-Control-Max-Age", max_age_s);
    return reply;
}

void add_headers(const message::Request& request, const Origins& origins, message::HeaderBlock& headers) {
    const std::string_view origin = request.header("Origin");
    if (origin.empty()) {
        // What a resource allows is no secret of its data.
        if (request.method == message::Method::options) headers.set(allow_origin, "*");
        return;
    }
    if (!granted(origin, origins)) return;
    add_permission(origin, origins, headers);
    headers.add("Access-Control-Expose-Headers", exposed);
}

}  // namespace millrace::cors
