// What an answer says of limits: draft-ietf-httpapi-ratelimit-headers-10, lists of items with parameters (RFC 9651).
#include <chrono>

#include "millrace/core/rate.hpp"

namespace millrace::rate {

// Rules are what an owner wrote: nothing in them ends the text.
std::string item_of(const Rule& rule) {
    std::string out = "\"";
    for (const char c : rule.text)
        if (c >= ' ' && c < 0x7F && c != '"' && c != '\\') out += c;
    return out += '"';
}

std::string policy_item(const Rule& rule) {
    return item_of(rule) + ";q=" + std::to_string(rule.count) + ";w=" + std::to_string(rule.window_s());
}

void append_state(std::string& out, std::string_view item, std::uint64_t remaining, Duration reset) {
    out.append(item).append(";r=").append(std::to_string(remaining));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(reset).count();
    if (seconds > 0) out.append(";t=").append(std::to_string(seconds));
}

}  // namespace millrace::rate
