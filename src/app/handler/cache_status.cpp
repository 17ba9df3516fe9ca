// What an answer says of the cache: how long a hit stays fresh and which tier had it, or why the database was asked.
#include "cache_status.hpp"

#include <array>
#include <charconv>
#include <chrono>

#include "millrace/core/text.hpp"

namespace millrace::app {

std::string cache_status_hit(const cache::Entry& entry, WallTime now, events::CacheResult where) {
    const auto left = std::chrono::floor<std::chrono::seconds>(entry.stored + entry.fresh_for - now).count();
    std::string out;
    out.reserve(64);
    out += "millrace; hit; ttl=";
    out += std::to_string(left);
    return out += where == events::CacheResult::hit_redis ? "; detail=redis" : "; detail=memory";
}

std::string cache_status_forwarded(const Forwarded& forwarded) {
    std::string out = "millrace; fwd=";
    out += forwarded.why;
    if (forwarded.stored) out += "; stored";
    if (forwarded.collapsed) out += "; collapsed";
    if (!forwarded.detail.empty()) out.append("; detail=").append(forwarded.detail);
    return out;
}

std::string cache_status_key(std::string_view key) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), text::hash64(key), 16).ptr;
    return "; key=\"" + std::string(digits.data(), end) + '"';
}

}  // namespace millrace::app
