// What an answer says of the cache: how long a hit stays fresh and which tier had it, or why the database was asked.
#include "cache_status.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

std::string ttl(const Lookup& found, WallTime now) {
    const Duration left = found.entry->stored + found.entry->fresh_for - now;
    const Duration ttl = found.stale_for > Duration::zero() ? std::min(left, -found.stale_for) : left;
    return std::to_string(std::chrono::floor<std::chrono::seconds>(ttl).count());
}

}  // namespace

std::string cache_status_hit(const Lookup& found, WallTime now) {
    using events::CacheResult;
    const bool redis = found.result == CacheResult::hit_redis || found.result == CacheResult::stale_redis;
    return "millrace; hit; ttl=" + ttl(found, now) + (redis ? "; detail=redis" : "; detail=memory");
}

std::string cache_status_stale_for_error(const Lookup& found, WallTime now) {
    return "millrace; fwd=stale; ttl=" + ttl(found, now) + "; detail=stale-if-error";
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
