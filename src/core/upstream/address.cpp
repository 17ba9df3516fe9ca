// Where a service is, and which of its paths a route reaches.
#include <algorithm>

#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {
namespace {

// "host", "host:port", "[::1]", "[::1]:port".
bool read_authority(Address& out) {
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

std::optional<Address> parse_address(std::string_view url) {
    constexpr std::string_view plain = "http://", encrypted = "https://";
    Address out;
    out.url = url;
    out.encrypted = url.starts_with(encrypted);
    if (!out.encrypted && !url.starts_with(plain)) return std::nullopt;
    const std::string_view rest = url.substr(out.encrypted ? encrypted.size() : plain.size());
    const bool visible = std::ranges::all_of(rest, [](char c) { return c > ' ' && c < 0x7F; });
    if (!visible || rest.find_first_of("?#@\\") != std::string_view::npos) return std::nullopt;
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    out.authority = rest.substr(0, slash);
    out.base = rest.substr(slash);
    while (out.base.ends_with('/')) out.base.pop_back();
    return read_authority(out) ? std::optional(std::move(out)) : std::nullopt;
}

Result<void> admit(const routes::Upstream& route, message::Method method, std::string_view below) {
    if (!route.allows(method))
        return Error::of(Fault::method_not_allowed,
                         std::string(message::name(method)) + " is not allowed on '" + route.name + "'")
            .with_header("Allow", route.allow());
    if (!stays_below(below)) return Error::of(Fault::bad_query, "The path leads out of the route");
    return {};
}

// Services decode escapes and take backslashes for slashes, some of them more than once.
bool stays_below(std::string_view below) {
    std::string path(below);
    constexpr int readings_max = 4;
    for (int reading = 0; reading < readings_max; ++reading) {
        std::ranges::replace(path, '\\', '/');
        for (const std::string_view segment : text::split(path, '/')) {
            const std::string_view name = segment.substr(0, segment.find(';'));  // "..;x" is ".." to some
            if (name == "." || name == "..") return false;
        }
        if (std::ranges::any_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) return false;
        if (path.find('%') == std::string::npos) return true;
        auto decoded = text::percent_decode(path);
        if (!decoded) return reading > 0;  // of what was decoded already a '%' may be a letter
        path = *std::move(decoded);
    }
    return false;
}

}  // namespace millrace::upstream
