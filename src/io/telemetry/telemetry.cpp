// The module's face: recorders for threads, the exposition for a scrape, and what is documented about both.
#include "millrace/io/telemetry.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "gather.hpp"
#include "metrics.hpp"

namespace millrace::telemetry {

struct Telemetry::State {
    State(const config::LogSettings& settings, std::size_t routes_max, int descriptor)
        : log(settings, descriptor), names(routes_max) {}

    std::vector<const Counters*> threads() const {
        const std::lock_guard lock(mutex);
        std::vector<const Counters*> all;
        for (const Recorder& recorder : recorders) all.push_back(&recorder.counters());
        return all;
    }

    Log log;
    Names names;
    mutable std::mutex mutex;
    std::deque<Recorder> recorders;
};

Telemetry::Telemetry(const config::LogSettings& settings, std::size_t routes_max, int log_descriptor)
    : state_(std::make_unique<State>(settings, routes_max, log_descriptor)) {}

Telemetry::~Telemetry() = default;

events::Observer& Telemetry::recorder() {
    const std::lock_guard lock(state_->mutex);
    return state_->recorders.emplace_back(state_->names, state_->log);
}

std::string Telemetry::scrape() const {
    const auto threads = state_->threads();
    const Source source{threads, state_->names, state_->log};
    std::vector<prometheus::MetricFamily> families;
    for (const Metric& metric : metrics_table()) {
        families.push_back({std::string(metric.name), std::string(metric.help), metric.type, {}});
        metric.gather(source, families.back().metric);
    }
    return prometheus::TextSerializer().Serialize(families);
}

CacheTotals Telemetry::cache_totals() const {
    using events::CacheResult;
    const auto threads = state_->threads();
    const Source source{threads, state_->names, state_->log};
    const auto of = [&](CacheResult result) { return total_of_result(source, number(result)); };
    return {of(CacheResult::hit_memory), of(CacheResult::hit_redis),
            of(CacheResult::collapsed),  of(CacheResult::stale_memory) + of(CacheResult::stale_redis),
            of(CacheResult::miss),       of(CacheResult::bypass)};
}

void Telemetry::configure(const config::LogSettings& settings) { state_->log.configure(settings); }

void Telemetry::flush() { state_->log.flush(); }

std::string Telemetry::names() {
    std::vector<std::string> lines;
    for (const Metric& metric : metrics_table())
        lines.push_back(std::string(metric.name) + " " + std::string(name(metric.type)) + "\n");
    std::ranges::sort(lines);
    std::string out;
    for (const std::string& line : lines) out += line;
    return out;
}

std::string_view version() { return MILLRACE_VERSION; }

}  // namespace millrace::telemetry
