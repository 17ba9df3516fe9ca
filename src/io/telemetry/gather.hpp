// Sums over the threads' counters, as samples of one metric.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "metrics.hpp"

namespace millrace::telemetry {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void add_counter(Samples& samples, double value, Labels labels = {});
void add_gauge(Samples& samples, double value, Labels labels = {});

[[nodiscard]] double total(const Source& source, const std::function<std::uint64_t(const Counters&)>& pick);
[[nodiscard]] double total_gauge(const Source& source, const std::function<const Gauge&(const Counters&)>& pick);
// The least of what the threads say; nothing when none has said anything.
[[nodiscard]] std::optional<double> least(const Source& source, const std::function<const Gauge&(const Counters&)>& pick);
// `pick` may answer nullptr; a histogram that no thread has is left out.
void add_histogram(Samples& samples, const Source& source, const std::function<const Histogram*(const Counters&)>& pick,
                   Labels labels = {});

// Visits each name that was seen, with its number, and "other". A name that is given after this look at them is left to the
// next scrape.
void for_each_name(const BoundedNames& names, const std::function<void(std::size_t, const Name&)>& visit);

[[nodiscard]] std::uint64_t total_of_result(const Source& source,
                                            std::size_t result);  // of the cache, whatever route and reason

void gather_durations(const Source& source, Samples& samples);
void gather_cache_results(const Source& source, Samples& samples);
void gather_service_results(const Source& source, Samples& samples);
void gather_service_retries(const Source& source, Samples& samples);
void gather_service_durations(const Source& source, Samples& samples);
void gather_service_connections(const Source& source, Samples& samples);
void gather_service_queues(const Source& source, Samples& samples);
void gather_service_addresses(const Source& source, Samples& samples);
// One sample for each name that was seen, and one for "other" when it was.
void gather_named(const Source& source, Samples& samples, const BoundedNames& names, std::vector<Counter> Counters::*counters,
                  std::pair<std::string_view, std::string_view> labels);

}  // namespace millrace::telemetry
