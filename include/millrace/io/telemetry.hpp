// Events → counters and log lines. Names of metrics and of log fields appear here and nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"

namespace millrace::telemetry {

// What came of the requests that a cache could answer, since the process began.
struct CacheTotals {
    std::uint64_t memory_hits = 0, redis_hits = 0, collapsed = 0, stale = 0, misses = 0, bypassed = 0;
};

// The process's metrics and its logger (spdlog, asynchronous, JSON lines on stdout). A recorder per thread counts without
// locks that threads share; scrape() merges them. Labels are bounded: beyond `routes_max` routes the label is "other".
class Telemetry {
public:
    explicit Telemetry(const config::LogSettings& settings, std::size_t routes_max = 200, int log_descriptor = 1);
    ~Telemetry();  // when no thread uses its recorder any more; writes the lines that are left

    // A new one at each call: call it once per thread. It lives as long as the Telemetry.
    [[nodiscard]] events::Observer& recorder();
    [[nodiscard]] std::string scrape() const;             // Prometheus text exposition 0.0.4; any thread
    [[nodiscard]] CacheTotals cache_totals() const;       // the same
    void configure(const config::LogSettings& settings);  // level and sampling, after a reload; any thread
    void flush();                                         // waits until the lines so far are written, at most a second

    [[nodiscard]] static std::string documentation();  // docs/metrics.md
    [[nodiscard]] static std::string names();          // the golden list: one name and type per line, sorted

private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] std::string_view version();  // of the build: "0.1.0"

}  // namespace millrace::telemetry
