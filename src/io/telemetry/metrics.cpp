// Says which metrics there are: each once, with its labels, the sentence that explains it, and where it comes from.
#include "metrics.hpp"

#include <algorithm>

#include "gather.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace::telemetry {
namespace {

constexpr auto a_counter = prometheus::MetricType::Counter, a_gauge = prometheus::MetricType::Gauge,
               a_histogram = prometheus::MetricType::Histogram;
using Of = const Source&;
using To = Samples&;

template <auto Member>
void count(Of source, To samples) {
    add_counter(samples, total(source, [](const Counters& c) { return (c.*Member).get(); }));
}

template <auto Member>
void gauge(Of source, To samples) {
    add_gauge(samples, total_gauge(source, [](const Counters& c) -> const Gauge& { return c.*Member; }));
}

template <auto Member>
void histogram(Of source, To samples) {
    add_histogram(samples, source, [](const Counters& c) { return &(c.*Member); });
}

template <auto Member>
void lane_histogram(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane)
        add_histogram(samples, source, [&](const Counters& c) { return &(c.lanes[lane].*Member); },
                      {{"lane", lane_classes[lane]}});
}

double lane_total(Of source, std::size_t lane, Gauge LaneCounters::*member) {
    return total_gauge(source, [&](const Counters& c) -> const Gauge& { return c.lanes[lane].*member; });
}

void lanes(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane) {
        add_gauge(samples, lane_total(source, lane, &LaneCounters::connected),
                  {{"lane", lane_classes[lane]}, {"state", "connected"}});
        add_gauge(samples, lane_total(source, lane, &LaneCounters::busy), {{"lane", lane_classes[lane]}, {"state", "busy"}});
    }
}

void lane_queue(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane)
        add_gauge(samples, lane_total(source, lane, &LaneCounters::queued), {{"lane", lane_classes[lane]}});
}

void lane_limit(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane)
        add_gauge(samples, lane_total(source, lane, &LaneCounters::limit), {{"lane", lane_classes[lane]}});
}

void lane_refusals(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane)
        for (std::size_t each = 0; each < priorities.size(); ++each)
            add_counter(samples, total(source, [&](const Counters& c) { return c.lanes[lane].refused[each].get(); }),
                        {{"lane", lane_classes[lane]}, {"priority", priorities[each]}});
}

void statement_failures(Of source, To samples) {
    for (std::size_t lane = 0; lane < lane_classes.size(); ++lane)
        add_counter(samples, total(source, [&](const Counters& c) { return c.lanes[lane].failures.get(); }),
                    {{"lane", lane_classes[lane]}});
}

void connections(Of source, To samples) {
    add_gauge(samples, total(source, [](const Counters& c) { return c.connections_opened.get(); }) -
                           total(source, [](const Counters& c) { return c.connections_closed.get(); }));
}

void refused(Of source, To samples) { gather_named(source, samples, source.names.refused, &Counters::refused, {"code", ""}); }

void errors(Of source, To samples) { gather_named(source, samples, source.names.errors, &Counters::errors, {"code", ""}); }

void invalidations(Of source, To samples) {
    gather_named(source, samples, source.names.sources, &Counters::sources, {"source", ""});
}

void reloads(Of source, To samples) {
    gather_named(source, samples, source.names.reloads, &Counters::reloads, {"what", "result"});
}

void redis_calls(Of source, To samples) {
    add_counter(samples, total(source, [](const Counters& c) { return c.redis_ok.get(); }), {{"result", "ok"}});
    add_counter(samples, total(source, [](const Counters& c) { return c.redis_failed.get(); }), {{"result", "failed"}});
}

constexpr std::string_view result_label = "result", kind_label = "kind";

template <auto Member, const auto& Terms, const std::string_view& Label = result_label>
void by_term(Of source, To samples) {
    for (std::size_t i = 0; i < Terms.size(); ++i)
        add_counter(samples, total(source, [&](const Counters& c) { return (c.*Member)[i].get(); }),
                    {{std::string(Label), Terms[i]}});
}

void refreshes(Of source, To samples) {
    for (std::size_t why = 0; why < refresh_reasons.size(); ++why)
        for (std::size_t ok = 0; ok < outcomes.size(); ++ok)
            add_counter(samples, total(source, [&](const Counters& c) { return c.refreshes[why][ok].get(); }),
                        {{"reason", refresh_reasons[why]}, {"result", outcomes[ok]}});
}

void purges(Of source, To samples) { gather_named(source, samples, source.names.purges, &Counters::purges, {"scope", "kind"}); }

void inconsistent(Of source, To samples) {
    add_counter(samples,
                total(source, [](const Counters& c) { return c.checks[number(events::CheckOutcome::inconsistent)].get(); }));
}

// All workers hear the same channel, so their times are not added up.
void unfenced_seconds(Of source, To samples) {
    std::uint64_t longest = 0;
    for (const Counters* counters : source.threads) longest = std::max(longest, counters->unfenced_ns.get());
    add_counter(samples, static_cast<double>(longest) / 1e9);
}

void backend_up(Of source, To samples) {
    for (std::size_t backend = 0; backend < backends.size(); ++backend) {
        const auto up = least(source, [&](const Counters& c) -> const Gauge& { return c.backend_up[backend]; });
        if (up) add_gauge(samples, *up, {{"backend", backends[backend]}});
    }
}

double breakers(Of source, std::size_t backend, std::size_t open) {
    return total(source, [&](const Counters& c) { return c.breakers[backend][open].get(); });
}

void breakers_opened(Of source, To samples) {
    for (std::size_t backend = 0; backend < backends.size(); ++backend)
        add_counter(samples, breakers(source, backend, 1), {{"backend", backends[backend]}});
}

// What is read first has not become more by then: the difference is never below 0.
void breakers_open(Of source, To samples) {
    for (std::size_t backend = 0; backend < backends.size(); ++backend) {
        const double closed = breakers(source, backend, 0);
        const double opened = std::max(breakers(source, backend, 1), closed);
        add_gauge(samples, opened - closed, {{"backend", backends[backend]}});
    }
}

void standby_reads(Of source, To samples) {
    for (std::size_t result = 0; result < standby_results.size(); ++result)
        add_counter(samples, total(source, [&](const Counters& c) { return c.standby_reads[result].get(); }),
                    {{"result", standby_results[result]}});
}

void fenced(Of source, To samples) {
    add_gauge(samples, least(source, [](const Counters& c) -> const Gauge& { return c.fenced; }).value_or(0));
}

template <auto Member>
void known_gauge(Of source, To samples) {
    const auto known = least(source, [](const Counters& c) -> const Gauge& { return c.*Member; });
    if (known) add_gauge(samples, *known);
}

void build_info(Of, To samples) { add_gauge(samples, 1, {{"version", version()}}); }

void log_dropped(Of source, To samples) { add_counter(samples, static_cast<double>(source.log.dropped())); }

template <auto Read>
void process_counter(Of, To samples) {
    add_counter(samples, Read());
}

template <auto Read>
void process_gauge(Of, To samples) {
    add_gauge(samples, Read());
}

// Two lines a row: what it is and where it comes from, and what it means.
// clang-format off
constexpr Metric metrics[] = {
    {"millrace_http_request_duration_seconds", a_histogram, "version, route, method, status", gather_durations,
     "Time from a request's first byte to its answer; status is its class, 2xx."},
    {"millrace_http_errors_total", a_counter, "code", errors,
     "Answers with an error, by its code."},
    {"millrace_http_refused_total", a_counter, "code", refused,
     "What was refused before it was a request: framing, limits, time limits."},
    {"millrace_http_connections", a_gauge, "", connections,
     "Open client connections."},
    {"millrace_request_bytes_total", a_counter, "", count<&Counters::bytes_in>,
     "Bytes of requests."},
    {"millrace_response_bytes_total", a_counter, "", count<&Counters::bytes_out>,
     "Bytes of answers."},

    {"millrace_api_key_lookups_total", a_counter, "result", by_term<&Counters::key_lookups, key_outcomes>,
     "API keys that were not remembered: found, absent, not asked for since their address brought too many bad ones (refused), "
     "or without an answer of Postgres (failed)."},

    {"millrace_limit_refusals_total", a_counter, "kind", by_term<&Counters::limit_refusals, limit_kinds, kind_label>,
     "Requests that a limit or a quota refused."},
    {"millrace_limit_asks_total", a_counter, "result", by_term<&Counters::limit_asks, outcomes>,
     "Times that Redis was asked for tokens of a limit; of those that failed this worker counted for itself."},

    {"millrace_service_attempts_total", a_counter, "version, route, result", gather_service_results,
     "Times that an address of a service was asked, and what came of it: ok, 5xx, no connection (connect), one that broke off "
     "(lost) or did not answer in time (timed_out), no HTTP (garbage); full: no connection became free in time."},
    {"millrace_service_retries_total", a_counter, "version, route", gather_service_retries,
     "Those of them for which another address had failed before."},
    {"millrace_service_attempt_seconds", a_histogram, "version, route", gather_service_durations,
     "Time of such an attempt until the head of the answer, or until it failed."},
    {"millrace_service_connections", a_gauge, "version, route, state", gather_service_connections,
     "Connections to a service that are open, and how many of those that may be are taken by requests (used)."},
    {"millrace_service_queue", a_gauge, "version, route", gather_service_queues,
     "Requests that wait for a connection to a service now."},
    {"millrace_service_addresses", a_gauge, "version, route, state", gather_service_addresses,
     "Addresses of a service (known), and those that are asked by every worker (up): well by their check and by what became of "
     "requests."},

    {"millrace_idempotent_requests_total", a_counter, "result", by_term<&Counters::idempotency, idempotency_results>,
     "Requests with an Idempotency-Key: done and their answer kept (stored), given the kept answer (replayed), or refused while the "
     "first is under way (conflict) or since they are not the same (mismatch)."},
    {"millrace_batches_total", a_counter, "result", by_term<&Counters::batches, batch_results>,
     "Batches that could be planned: committed, or nothing of them was done (rolled_back)."},
    {"millrace_batch_operations_total", a_counter, "result", by_term<&Counters::batch_operations, batch_results>,
     "Operations of those batches."},

    {"millrace_lane_wait_seconds", a_histogram, "lane", lane_histogram<&LaneCounters::waits>,
     "Time that a statement waited for a lane."},
    {"millrace_statement_duration_seconds", a_histogram, "lane", lane_histogram<&LaneCounters::statements>,
     "Time that Postgres took, as this process sees it."},
    {"millrace_statement_failures_total", a_counter, "lane", statement_failures,
     "Statements that Postgres refused or that were cut off."},
    {"millrace_lane_refusals_total", a_counter, "lane, priority", lane_refusals,
     "Statements that were refused (503) since they would have waited for too long."},
    {"millrace_lane_limit", a_gauge, "lane", lane_limit,
     "Statements that may be underway at once, as their latency has it, in all workers together."},
    {"millrace_lanes", a_gauge, "lane, state", lanes,
     "Connections to Postgres that stand (connected), and those of them that work (busy)."},
    {"millrace_lane_queue", a_gauge, "lane", lane_queue,
     "Statements that wait for a lane now."},
    {"millrace_backend_up", a_gauge, "backend", backend_up,
     "1 while every thread that talks to the backend can, else 0; absent when none does."},
    {"millrace_breakers_open", a_gauge, "backend", breakers_open,
     "Breakers that are open: a thread asks the backend nothing, as it did not answer several times in a row."},
    {"millrace_breakers_opened_total", a_counter, "backend", breakers_opened,
     "How often breakers opened; one whose probe fails stays open."},

    {"millrace_standby_reads_total", a_counter, "result", standby_reads,
     "Reads that a standby could answer: its answer was given (used), or the primary was asked (behind, foreign, failed, down)."},

    {"millrace_cache_requests_total", a_counter, "version, route, tier, result, reason", gather_cache_results,
     "Requests that could be answered by a cache: which tier answered, what came of it, and why it was no plain hit."},
    {"millrace_cache_entries", a_gauge, "", gauge<&Counters::cache_entries>,
     "Answers in the caches of this process."},
    {"millrace_cache_bytes", a_gauge, "", gauge<&Counters::cache_bytes>,
     "Memory of the caches of this process."},
    {"millrace_cache_evictions_total", a_counter, "", count<&Counters::evicted>,
     "Answers that made room for others."},
    {"millrace_cache_fills_total", a_counter, "", count<&Counters::filled>,
     "Answers that were put into a cache."},
    {"millrace_cache_filled_bytes_total", a_counter, "", count<&Counters::filled_bytes>,
     "Bytes of those answers."},
    {"millrace_cache_leases_total", a_counter, "result", by_term<&Counters::leases, lease_outcomes>,
     "Answers to be read for all replicas: got the lease, waited for another replica, or waited in vain (timed_out)."},
    {"millrace_cache_lease_wait_seconds", a_histogram, "", histogram<&Counters::lease_waits>,
     "Time that a request waited for another replica's read."},
    {"millrace_cache_waits_total", a_counter, "result", by_term<&Counters::waits, outcomes>,
     "Requests that waited for another one of this process, and whether that brought an answer."},
    {"millrace_cache_wait_seconds", a_histogram, "", histogram<&Counters::fill_waits>,
     "Time that they waited."},
    {"millrace_cache_unkept_total", a_counter, "", count<&Counters::unkept>,
     "Answers that proved not to be kept; for a while nobody waits for one of the same key (hit-for-miss)."},
    {"millrace_cache_refreshes_total", a_counter, "reason, result", refreshes,
     "Answers that were read anew in the background: given stale, or about to end (early)."},
    {"millrace_cache_purges_total", a_counter, "scope, kind", purges,
     "Purges that were asked for through this process."},
    {"millrace_cache_checks_total", a_counter, "result", by_term<&Counters::checks, check_outcomes>,
     "Hits that were read again: the same, no longer valid meanwhile (superseded), inconsistent, or not to be compared."},
    {"millrace_cache_inconsistent_total", a_counter, "", inconsistent,
     "Answers that were held valid and that the database contradicts: each one is a bug, or a write past the triggers."},

    {"millrace_redis_calls_total", a_counter, "result", redis_calls,
     "Calls of Redis that were answered (ok), or failed or were late (failed)."},
    {"millrace_redis_call_duration_seconds", a_histogram, "", histogram<&Counters::redis_calls>,
     "Time of a call of Redis."},

    {"millrace_invalidations_total", a_counter, "source", invalidations,
     "Invalidations that were heard, by where they came from."},
    {"millrace_invalidation_lag_seconds", a_histogram, "", histogram<&Counters::invalidation_lag>,
     "Time from a heartbeat's commit until it is heard here."},
    {"millrace_fenced", a_gauge, "", fenced,
     "1 while invalidations are heard and caches may answer; 0: they are bypassed."},
    {"millrace_unfenced_seconds_total", a_counter, "", unfenced_seconds,
     "Time during which caches were bypassed because invalidations were not heard."},
    {"millrace_announcing", a_gauge, "", known_gauge<&Counters::announcing>,
     "1 while this replica decodes the log and announces invalidations to all; absent where nothing is decoded."},
    {"millrace_slot_lag_bytes", a_gauge, "", known_gauge<&Counters::slot_lag_bytes>,
     "Log that Postgres keeps for the replication slot, behind its end; only of the replica that announces."},

    {"millrace_reloads_total", a_counter, "what, result", reloads,
     "Reloads of the catalog and of the configuration."},
    {"millrace_unhandled_exceptions_total", a_counter, "", count<&Counters::fallen>,
     "Exceptions that reached the root of a coroutine: each one is a bug."},
    {"millrace_log_dropped_total", a_counter, "", log_dropped,
     "Log lines that were given up because nobody read them fast enough."},
    {"millrace_build_info", a_gauge, "version", build_info,
     "1, labelled with the version of the build."},

    {"process_cpu_seconds_total", a_counter, "", process_counter<cpu_seconds>,
     "CPU time of the process, user and system."},
    {"process_resident_memory_bytes", a_gauge, "", process_gauge<resident_bytes>,
     "Memory of the process that is in RAM."},
    {"process_open_fds", a_gauge, "", process_gauge<open_descriptors>,
     "Open file descriptors."},
    {"process_max_fds", a_gauge, "", process_gauge<descriptors_max>,
     "Most file descriptors that may be open."},
    {"process_start_time_seconds", a_gauge, "", process_gauge<start_time_s>,
     "When the process started, in seconds since 1970."},
};
// clang-format on

}  // namespace

std::span<const Metric> metrics_table() { return metrics; }

std::string_view name(prometheus::MetricType type) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return "counter";
        case prometheus::MetricType::Gauge:
            return "gauge";
        case prometheus::MetricType::Histogram:
            return "histogram";
        case prometheus::MetricType::Summary:
            return "summary";
        case prometheus::MetricType::Untyped:
            return "untyped";
    }
    return "untyped";
}

}  // namespace millrace::telemetry
