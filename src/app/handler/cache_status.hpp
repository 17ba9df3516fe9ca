// Cache-Status (RFC 9211).
#pragma once

#include <string>
#include <string_view>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/base.hpp"

namespace millrace::app {

// "millrace; hit; ttl=28; detail=memory"; below zero the ttl of what is given although it may hold no longer.
[[nodiscard]] std::string cache_status_hit(const Lookup& found, WallTime now);

// "millrace; fwd=stale; ttl=-4; detail=stale-if-error": the database was asked and could not answer.
[[nodiscard]] std::string cache_status_stale_for_error(const Lookup& found, WallTime now);

}  // namespace millrace::app
