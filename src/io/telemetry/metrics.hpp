// The one table of metrics: names, labels, help, and how each is gathered from the recorders.
#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <string_view>
#include <vector>

#include "recorder.hpp"

namespace millrace::telemetry {

// What a scrape reads.
struct Source {
    const std::vector<const Counters*>& threads;
    const Names& names;
    const Log& log;
};

using Samples = std::vector<prometheus::ClientMetric>;

struct Metric {
    std::string_view name;
    prometheus::MetricType type;
    std::string_view labels;  // as the documentation shows them
    void (*gather)(const Source& source, Samples& samples);
    std::string_view help;
};

[[nodiscard]] std::span<const Metric> metrics_table();
[[nodiscard]] std::string_view name(prometheus::MetricType type);

// Of the process, out of /proc/self; 0 where it cannot be read.
[[nodiscard]] double cpu_seconds();
[[nodiscard]] double resident_bytes();
[[nodiscard]] double open_descriptors();
[[nodiscard]] double descriptors_max();
[[nodiscard]] double start_time_s();

}  // namespace millrace::telemetry
