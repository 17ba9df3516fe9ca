// Prints docs/metrics.md.
#include "metrics.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace::telemetry {
namespace {

constexpr std::string_view preamble = R"(# Metrics and log lines

<!-- Printed from the table of metrics; a test compares it. -->

## Metrics

`GET /metrics` on the admin listener, in Prometheus's text format. Each thread counts for itself; a scrape adds up. The number
of label values is bounded: what comes after the first 200 routes, 100 error codes, 32 refusals and 8 sources is `other`.

)";

constexpr std::string_view log_lines = R"(
## Log lines

One JSON object a line on standard output. When nobody reads it, the oldest lines are given up and counted in
`millrace_log_dropped_total`; no request waits for its line. Every line has `time` (UTC), `level` and `event`.

| event | level | fields |
|---|---|---|
| `request` | info; error from status 500 on | `request_id` `peer` `method` `path` (without query) `version` `route` `status` `bytes_in` `bytes_out` `cache` `cache_reason` `role` `ms` (`total` `plan` `lane_wait` `database` `redis` `render`) and, when there is one, `error` |
| `refused` | debug | `code` `status` |
| `invalidation` | debug | `source` `tags` |
| `purge` | info | `scope` `hard` |
| `inconsistent` | error | `key_hash` `tags` |
| `backend` | info when up, else warn | `backend` `up` `reason` |
| `breaker` | warn when open, else info | `backend` `open` |
| `fence` | info when fenced, else warn | `fenced` `reason` |
| `reload` | info; error when it failed | `what` `ok` `detail` |
| `lifecycle` | info | `phase` `detail` |
| `fallen` | error | `where` `what` |

`log.access` and `log.access_sample_percent` choose which requests get a line; answers of 500 and above always do.
)";

std::string bounds() {
    std::string out = "Bounds of every histogram, in seconds:";
    for (double bound : bucket_bounds_s) {
        std::string text = std::to_string(bound);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
        out += " " + text;
    }
    out += ".\n";
    return out;
}

std::string row(const Metric& metric) {
    std::string labels(metric.labels);
    return "| `" + std::string(metric.name) + "` | " + std::string(name(metric.type)) + " | " + labels + " | " +
           std::string(metric.help) + " |\n";
}

}  // namespace

std::string Telemetry::documentation() {
    std::string out(preamble);
    out += "| name | type | labels | what it is |\n|---|---|---|---|\n";
    for (const Metric& metric : metrics_table()) out += row(metric);
    return out.append("\n").append(bounds()).append(log_lines);
}

}  // namespace millrace::telemetry
