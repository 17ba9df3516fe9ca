// Cache-Status (RFC 9211).
#pragma once

#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/events.hpp"

namespace millrace::app {

// "millrace; hit; ttl=28; detail=memory"
[[nodiscard]] std::string cache_status_hit(const cache::Entry& entry, WallTime now, events::CacheResult where);

}  // namespace millrace::app
