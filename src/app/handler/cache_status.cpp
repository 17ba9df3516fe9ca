// What a hit says of itself: how long it stays fresh, and which tier had it.
#include "cache_status.hpp"

#include <chrono>

namespace millrace::app {

std::string cache_status_hit(const cache::Entry& entry, WallTime now, events::CacheResult where) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(entry.stored + entry.fresh_for - now).count();
    std::string out;
    out.reserve(64);
    out += "millrace; hit; ttl=";
    out += std::to_string(left);
    return out += where == events::CacheResult::hit_redis ? "; detail=redis" : "; detail=memory";
}

}  // namespace millrace::app
