// Reads the request line (RFC 9112 §3): one method we know, one target in a form that method may have, HTTP/1.0 or 1.1.
#include "request_line.hpp"

#include <array>
#include <millrace/core/text.hpp>
#include <utility>

#include "characters.hpp"

namespace millrace::framing {
namespace {

using message::Method;

Error bad(std::string details) { return Error::of(Fault::bad_framing).with_details(std::move(details)); }

std::optional<Method> known_method(std::string_view name) {
    for (Method m : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del, Method::options})
        if (message::name(m) == name) return m;
    return std::nullopt;
}

Result<void> read_version(std::string_view version, Head& head) {
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
                            is_digit(version[7]);
        if (shaped) return Error::of(Fault::version_not_supported);
        return bad("The request line does not end with the version of HTTP.");
    }
    head.http_1_0 = version[7] == '0';
    return {};
}

Result<void> read_origin_form(std::string_view target, message::Request& request) {
    if (target.find('#') != std::string_view::npos) return bad("The target has a fragment.");
    const auto mark = target.find('?');
    request.target = target;
    request.path = target.substr(0, mark);
    request.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
    return {};
}

struct Scheme {
    std::string_view prefix, port;
};
constexpr std::array schemes = {Scheme{"http://", "80"}, Scheme{"https://", "443"}};

Result<void> read_absolute_form(std::string_view target, Head& head, RequestLine& line) {
    for (const auto& [prefix, port] : schemes) {
        if (!text::iequals(target.substr(0, prefix.size()), prefix)) continue;
        const std::string_view rest = target.substr(prefix.size());
        const auto end = rest.find_first_of("/?#");
        line.authority = rest.substr(0, end);
        line.default_port = port;
        if (end == std::string_view::npos) return read_origin_form("/", head.request);
        if (rest[end] != '/') return bad("The target has no path.");
        return read_origin_form(rest.substr(end), head.request);
    }
    return bad("The target is neither a path nor an http URL.");
}

Result<void> read_target(std::string_view target, Head& head, RequestLine& line) {
    if (target.starts_with('/')) return read_origin_form(target, head.request);
    if (target != "*") return read_absolute_form(target, head, line);
    if (head.request.method != Method::options) return bad("Only OPTIONS may ask for \"*\".");
    return read_origin_form(target, head.request);
}

std::string_view take_while(std::string_view text, std::size_t& at, bool (*is_wanted)(char)) {
    const std::size_t start = at;
    while (at < text.size() && is_wanted(text[at])) ++at;
    return text.substr(start, at - start);
}

bool take(std::string_view text, std::size_t& at, std::string_view wanted) {
    if (text.substr(at, wanted.size()) != wanted) return false;
    at += wanted.size();
    return true;
}

}  // namespace

Result<RequestLine> read_request_line(std::string_view text, std::size_t start, const Limits& limits, Head& head) {
    RequestLine line;
    std::size_t at = start;
    const std::string_view method = take_while(text, at, is_tchar);
    if (method.empty() || !take(text, at, " ")) return bad("The request line does not begin with a method and one space.");
    const std::string_view target = take_while(text, at, is_visible);
    if (target.empty() || !take(text, at, " ")) return bad("The target is not visible ASCII followed by one space.");
    const std::string_view version = take_while(text, at, is_visible);
    if (!take(text, at, "\r\n")) return bad("The request line does not end with the version of HTTP and CRLF.");
    line.end = at;

    if (auto read = read_version(version, head); !read) return std::move(read).error();
    const auto known = known_method(method);
    if (!known) return Error::of(Fault::method_not_implemented);
    head.request.method = *known;
    if (target.size() > limits.target_bytes_max) return Error::of(Fault::target_too_long);
    if (auto read = read_target(target, head, line); !read) return std::move(read).error();
    return line;
}

}  // namespace millrace::framing
