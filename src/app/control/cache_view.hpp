// What GET /cache and `millrace cache stats` tell.
#pragma once

#include <cstdint>
#include <string>

#include "millrace/app/worker.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace::app {

struct CacheView {
    telemetry::CacheTotals totals;
    std::uint64_t entries = 0, bytes = 0, fills = 0;
    bool fenced = false;
    Duration lag{};
    Epoch epoch;
};
[[nodiscard]] std::string to_json(const CacheView& view);

}  // namespace millrace::app
