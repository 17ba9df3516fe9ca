// Merges what the threads counted.
#include "gather.hpp"

#include <algorithm>
#include <limits>

namespace millrace::telemetry {
namespace {

prometheus::ClientMetric sample(Labels labels) {
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : labels)
        if (!name.empty()) metric.label.push_back({std::string(name), std::string(value)});
    return metric;
}

const RouteCounters* route_of(const Counters& counters, std::size_t index) {
    return counters.routes[index].load(std::memory_order_acquire);
}

const Histogram* duration_of(const Counters& counters, std::size_t route, std::size_t method, std::size_t status) {
    const RouteCounters* of_route = route_of(counters, route);
    return of_route == nullptr ? nullptr : of_route->durations[method][status].load(std::memory_order_acquire);
}

std::uint64_t cache_count(const Counters& counters, std::size_t route, std::size_t result, std::size_t reason) {
    const RouteCounters* of_route = route_of(counters, route);
    return of_route == nullptr ? 0 : of_route->cache[result][reason].get();
}

void add_durations(const Source& source, Samples& samples, std::size_t route, const Name& name) {
    for (std::size_t method = 0; method < methods.size(); ++method)
        for (std::size_t status = 0; status < status_classes.size(); ++status)
            add_histogram(samples, source, [&](const Counters& c) { return duration_of(c, route, method, status); },
                          {{"version", name.first},
                           {"route", name.second},
                           {"method", methods[method]},
                           {"status", status_classes[status]}});
}

void add_cache_results(const Source& source, Samples& samples, std::size_t route, const Name& name) {
    for (std::size_t result = 0; result < cache_results.size(); ++result)
        for (std::size_t reason = 0; reason < cache_reasons.size(); ++reason) {
            const double count = total(source, [&](const Counters& c) { return cache_count(c, route, result, reason); });
            if (count == 0) continue;
            const CacheTerm& term = cache_results[result];
            add_counter(samples, count,
                        {{"version", name.first},
                         {"route", name.second},
                         {"tier", term.tier},
                         {"result", term.result},
                         {"reason", cache_reasons[reason]}});
        }
}

}  // namespace

void for_each_name(const BoundedNames& names, const std::function<void(std::size_t, const Name&)>& visit) {
    const std::vector<Name> known = names.names();
    for (std::size_t i = 0; i < known.size(); ++i) visit(i, known[i]);
    visit(names.max(), {"other", "other"});
}

void add_counter(Samples& samples, double value, Labels labels) {
    samples.push_back(sample(labels));
    samples.back().counter.value = value;
}

void add_gauge(Samples& samples, double value, Labels labels) {
    samples.push_back(sample(labels));
    samples.back().gauge.value = value;
}

double total(const Source& source, const std::function<std::uint64_t(const Counters&)>& pick) {
    std::uint64_t sum = 0;
    for (const Counters* counters : source.threads) sum += pick(*counters);
    return static_cast<double>(sum);
}

double total_gauge(const Source& source, const std::function<const Gauge&(const Counters&)>& pick) {
    std::int64_t sum = 0;
    for (const Counters* counters : source.threads) sum += pick(*counters).get();
    return static_cast<double>(sum);
}

std::optional<double> least(const Source& source, const std::function<const Gauge&(const Counters&)>& pick) {
    std::optional<double> lowest;
    for (const Counters* counters : source.threads) {
        const std::int64_t value = pick(*counters).get();
        if (value != unknown) lowest = std::min(lowest.value_or(static_cast<double>(value)), static_cast<double>(value));
    }
    return lowest;
}

void add_histogram(Samples& samples, const Source& source, const std::function<const Histogram*(const Counters&)>& pick,
                   Labels labels) {
    std::array<std::uint64_t, Histogram::buckets> counts{};
    std::uint64_t sum_ns = 0;
    bool any = false;
    for (const Counters* counters : source.threads) {
        const Histogram* histogram = pick(*counters);
        if (histogram == nullptr) continue;
        any = true;
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += histogram->count(i);
        sum_ns += histogram->sum_ns();
    }
    if (!any) return;
    samples.push_back(sample(labels));
    auto& out = samples.back().histogram;
    for (std::size_t i = 0; i < bucket_bounds_s.size(); ++i)
        out.bucket.push_back({out.sample_count += counts[i], bucket_bounds_s[i]});
    out.sample_count += counts.back();
    out.bucket.push_back({out.sample_count, std::numeric_limits<double>::infinity()});
    out.sample_sum = static_cast<double>(sum_ns) / 1e9;
}

std::uint64_t total_of_result(const Source& source, std::size_t result) {
    std::uint64_t sum = 0;
    for (const Counters* counters : source.threads)
        for (std::size_t route = 0; route < counters->routes.size(); ++route)
            for (std::size_t reason = 0; reason < cache_reasons.size(); ++reason)
                sum += cache_count(*counters, route, result, reason);
    return sum;
}

void gather_durations(const Source& source, Samples& samples) {
    for_each_name(source.names.routes,
                  [&](std::size_t route, const Name& name) { add_durations(source, samples, route, name); });
}

void gather_cache_results(const Source& source, Samples& samples) {
    for_each_name(source.names.routes,
                  [&](std::size_t route, const Name& name) { add_cache_results(source, samples, route, name); });
}

void gather_named(const Source& source, Samples& samples, const BoundedNames& names, std::vector<Counter> Counters::*counters,
                  std::pair<std::string_view, std::string_view> labels) {
    for_each_name(names, [&](std::size_t i, const Name& name) {
        const double count = total(source, [&](const Counters& c) { return (c.*counters)[i].get(); });
        if (count > 0) add_counter(samples, count, {{labels.first, name.first}, {labels.second, name.second}});
    });
}

}  // namespace millrace::telemetry
