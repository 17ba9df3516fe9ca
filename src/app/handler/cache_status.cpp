// What a hit says of itself: how long it stays fresh, and which tier had it.
#include "cache_status.hpp"

#include <algorithm>
#include <chrono>

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

}  // namespace millrace::app
