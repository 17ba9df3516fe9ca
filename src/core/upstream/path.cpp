// Which of a service's paths a route reaches.
#include <algorithm>

#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {

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
