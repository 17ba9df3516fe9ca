// Where a service is, and which of its paths a route reaches.
#include <algorithm>

#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {

std::optional<Address> parse_address(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return std::nullopt;
    const std::string_view rest = url.substr(scheme.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view authority = rest.substr(0, slash);
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (authority.empty() || bracket == std::string_view::npos) return std::nullopt;
    const std::size_t colon = authority.find(':', bracket);
    Address out;
    out.url = url;
    out.authority = authority;
    out.host = bracket == 0 ? authority.substr(0, colon) : authority.substr(1, bracket - 1);
    out.port = colon == std::string_view::npos ? std::string_view("80") : authority.substr(colon + 1);
    out.base = rest.substr(slash);
    while (out.base.ends_with('/')) out.base.pop_back();
    const auto port = text::to_int(out.port);
    if (out.host.empty() || !port || *port < 1 || *port > 65535) return std::nullopt;
    return out;
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
