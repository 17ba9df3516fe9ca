// Takes a URL apart.
#include "millrace/core/url.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::url {
namespace {

// "host", "host:port", "[::1]", "[::1]:port".
bool read_authority(Url& out) {
    const std::string_view authority = out.authority;
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == std::string_view::npos) return false;
    const std::size_t colon = std::min(authority.find(':', bracket), authority.size());
    if (bracket > 0 && colon != bracket + 1) return false;
    out.host = bracket == 0 ? authority.substr(0, colon) : authority.substr(1, bracket - 1);
    out.port = out.encrypted ? "443" : "80";
    if (colon < authority.size()) out.port = authority.substr(colon + 1);
    const auto port = out.port.starts_with('+') ? std::nullopt : text::to_int(out.port);
    return !out.host.empty() && port && *port >= 1 && *port <= 65535;
}

}  // namespace

std::optional<Url> parse(std::string_view text) {
    constexpr std::string_view plain = "http://", encrypted = "https://";
    Url out;
    out.text = text;
    out.encrypted = text.starts_with(encrypted);
    if (!out.encrypted && !text.starts_with(plain)) return std::nullopt;
    const std::string_view rest = text.substr(out.encrypted ? encrypted.size() : plain.size());
    const bool visible = std::ranges::all_of(rest, [](char c) { return c > ' ' && c < 0x7F; });
    if (!visible || rest.find_first_of("#@\\") != std::string_view::npos) return std::nullopt;
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    out.authority = rest.substr(0, end);
    out.target = rest.substr(end);
    return read_authority(out) ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<Url> parse_base(std::string_view text) {
    auto url = parse(text);
    if (!url || url->target.find('?') != std::string::npos) return std::nullopt;
    while (url->target.ends_with('/')) url->target.pop_back();
    return url;
}

}  // namespace millrace::url
