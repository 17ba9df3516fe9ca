// What one thread counts, and the lines that it writes.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "instruments.hpp"
#include "labels.hpp"
#include "log.hpp"
#include "millrace/core/events.hpp"
#include "terms.hpp"

namespace millrace::telemetry {

// The process's numbering of the labels that are not enumerations.
struct Names {
    explicit Names(std::size_t routes_max) : routes(routes_max) {}

    BoundedNames routes;  // version and route
    BoundedNames refused{32}, errors{100}, sources{8}, purges{8};
    BoundedNames reloads{8};  // what and result
};

struct ServiceCounters {
    std::array<Counter, service_results.size()> asked;
    Counter retries;
    Histogram durations;
    Gauge open, used, waiting, addresses, up;
};

// Made when a route is first seen; a histogram in it when its method and status class are.
struct RouteCounters {
    std::array<std::array<std::atomic<Histogram*>, status_classes.size()>, methods.size()> durations{};
    std::array<std::array<Counter, cache_reasons.size()>, cache_results.size()> cache;
    std::atomic<ServiceCounters*> service{};  // where it is one
};

struct LaneCounters {
    Histogram waits, statements;
    Counter failures;
    std::array<Counter, priorities.size()> refused;
    Gauge connected, busy, queued, limit;
};

constexpr std::int64_t unknown = -1;  // of a gauge that this thread has said nothing about

struct Counters {
    explicit Counters(const Names& names);

    std::vector<std::atomic<RouteCounters*>> routes;                 // by number; the last one is "other"
    std::vector<Counter> refused, errors, sources, reloads, purges;  // likewise
    Counter connections_opened, connections_closed, bytes_in, bytes_out;
    std::array<LaneCounters, lane_classes.size()> lanes;
    std::array<std::array<Counter, 2>, backends.size()> breakers;  // closed, opened
    std::array<Gauge, backends.size()> backend_up{Gauge(unknown), Gauge(unknown), Gauge(unknown)};
    std::array<Counter, standby_results.size()> standby_reads;
    Gauge fenced{unknown}, announcing{unknown}, slot_lag_bytes{unknown};
    Gauge cache_entries, cache_bytes;
    Counter evicted, filled, filled_bytes, unkept;
    std::array<Counter, lease_outcomes.size()> leases;
    std::array<Counter, outcomes.size()> waits;
    std::array<std::array<Counter, outcomes.size()>, refresh_reasons.size()> refreshes;
    std::array<Counter, check_outcomes.size()> checks;
    std::array<Counter, key_outcomes.size()> key_lookups;
    std::array<Counter, outcomes.size()> limit_asks;
    std::array<Counter, limit_kinds.size()> limit_refusals;
    std::array<Counter, idempotency_results.size()> idempotency;
    std::array<Counter, batch_results.size()> batches, batch_operations;
    Counter unfenced_ns;
    Counter redis_ok, redis_failed;
    Histogram redis_calls, invalidation_lag, lease_waits, fill_waits;
    Counter fallen;
};

class alignas(64) Recorder final : public events::Observer {
public:
    Recorder(Names& names, Log& log);

    void on(const events::Event& event) override;
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    struct Count;
    RouteCounters& route(std::string_view version, std::string_view name);
    Histogram& duration(RouteCounters& route, message::Method method, int status);
    ServiceCounters& service(std::string_view version, std::string_view name);
    [[nodiscard]] bool sampled(const events::RequestFinished& request);
    void write_line(const events::Event& event);
    void write_audit_line(const events::RequestFinished& request);

    Log& log_;
    Counters counters_;
    std::deque<RouteCounters> own_routes_;  // of the pointers above
    std::deque<Histogram> own_histograms_;
    std::deque<ServiceCounters> own_services_;
    NameCache routes_, refused_, errors_, sources_, reloads_, purges_;
    unsigned sample_percent_ = 0;  // what has gathered towards the next line
    std::string line_;
};

}  // namespace millrace::telemetry
