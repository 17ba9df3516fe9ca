// Writes what the caches of a process hold and how well they do.
#include "cache_view.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

namespace millrace::app {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string to_json(const CacheView& view) {
    const telemetry::CacheTotals& totals = view.totals;
    const std::uint64_t memory = totals.memory_hits + totals.collapsed, asked_redis = totals.redis_hits + totals.misses;
    const std::uint64_t all = memory + asked_redis + totals.stale + totals.bypassed;
    nlohmann::ordered_json out;
    out["entries"] = view.entries;
    out["bytes"] = view.bytes;
    out["fills_in_flight"] = view.fills;
    out["requests"] = {{"memory", totals.memory_hits}, {"redis", totals.redis_hits}, {"collapsed", totals.collapsed},
                       {"stale", totals.stale},        {"database", totals.misses},  {"bypassed", totals.bypassed}};
    // Redis is asked for what memory does not have.
    out["hit_ratio"] = {{"memory", ratio(memory, all)}, {"redis", ratio(totals.redis_hits, asked_redis)}};
    out["fenced"] = view.fenced;
    out["lag_ms"] = std::chrono::duration<double, std::milli>(view.lag).count();
    out["epoch"] = std::to_string(view.epoch.system_identifier) + ':' + std::to_string(view.epoch.timeline) + ':' +
                   std::to_string(view.epoch.incarnation);
    return out.dump() + '\n';
}

}  // namespace millrace::app
