// What an answer says of limits: draft-ietf-httpapi-ratelimit-headers-10, lists of items with parameters (RFC 9651).
#include <chrono>

#include "millrace/core/rate.hpp"

namespace millrace::rate {
namespace {

// Names are ours, or what an owner wrote: nothing in them ends the text.
std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (const char c : name)
        if (c >= ' ' && c < 0x7F && c != '"' && c != '\\') out += c;
    return out += '"';
}

}  // namespace

std::string policy_item(std::string_view name, const Rule& rule) {
    return quoted(name) + ";q=" + std::to_string(rule.count) + ";w=" + std::to_string(rule.window_s());
}

std::string state_item(std::string_view name, std::uint64_t remaining, Duration reset) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(reset).count();
    return quoted(name) + ";r=" + std::to_string(remaining) + (seconds > 0 ? ";t=" + std::to_string(seconds) : "");
}

}  // namespace millrace::rate
