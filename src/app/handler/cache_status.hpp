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

// Why the database was asked, and what became of its answer.
struct Forwarded {
    std::string_view why = "uri-miss";  // "uri-miss", "stale", "request" (what the client said rules the entry out), "bypass"
    bool stored = false;
    bool collapsed = false;  // another request asked, and this one waited for its answer
    std::string_view detail{};
};
// "millrace; fwd=uri-miss; stored"
[[nodiscard]] std::string cache_status_forwarded(const Forwarded& forwarded);

// "; key=\"9f86d081884c7d65\"": tells entries apart, and tells nothing else of them.
[[nodiscard]] std::string cache_status_key(std::string_view key);

}  // namespace millrace::app
