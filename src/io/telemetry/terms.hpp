// The words for enumerations, in labels and in log lines alike.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "millrace/core/events.hpp"

namespace millrace::telemetry {

constexpr std::array<std::string_view, 7> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
// One word of a cache's answer in log lines, and as the metric has it: what came of it, and which tier answered.
struct CacheTerm {
    std::string_view word, result, tier;
};
constexpr std::array<CacheTerm, 8> cache_results = {{{"none", "none", "none"},
                                                     {"hit_memory", "hit", "memory"},
                                                     {"hit_redis", "hit", "redis"},
                                                     {"collapsed", "collapsed", "memory"},
                                                     {"miss", "miss", "database"},
                                                     {"stale_memory", "stale", "memory"},
                                                     {"stale_redis", "stale", "redis"},
                                                     {"bypass", "bypass", "database"}}};
constexpr std::array<std::string_view, 10> cache_reasons = {"none",     "absent", "expired", "invalid",      "token",
                                                            "unfenced", "unkept", "request", "revalidating", "error"};
constexpr std::array<std::string_view, 7> service_results = {"ok", "5xx", "connect", "lost", "timed_out", "garbage", "full"};
constexpr std::array<std::string_view, 4> idempotency_results = {"stored", "replayed", "conflict", "mismatch"};
constexpr std::array<std::string_view, 2> batch_results = {"rolled_back", "committed"};
constexpr std::array<std::string_view, 3> lease_outcomes = {"got", "waited", "timed_out"};
constexpr std::array<std::string_view, 2> limit_kinds = {"rate", "quota"};
constexpr std::array<std::string_view, 4> key_outcomes = {"found", "absent", "failed", "refused"};
constexpr std::array<std::string_view, 4> check_outcomes = {"same", "superseded", "inconsistent", "failed"};
constexpr std::array<std::string_view, 2> refresh_reasons = {"stale", "early"};
constexpr std::array<std::string_view, 2> outcomes = {"failed", "ok"};
constexpr std::array<std::string_view, 2> lane_classes = {"fast", "slow"};
constexpr std::array<std::string_view, congestion::priorities> priorities = {"low", "normal", "high"};
constexpr std::array<std::string_view, 3> backends = {"postgres", "redis", "standby"};
constexpr std::array<std::string_view, 5> standby_results = {"used", "behind", "foreign", "failed", "down"};
constexpr std::array<std::string_view, 5> status_classes = {"1xx", "2xx", "3xx", "4xx", "5xx"};

template <class Enum>
constexpr std::size_t number(Enum value) {
    return static_cast<std::size_t>(value);
}

constexpr std::string_view term(message::Method method) { return methods[number(method)]; }
constexpr std::string_view term(events::CacheResult result) { return cache_results[number(result)].word; }
constexpr std::string_view term(events::CacheReason reason) { return cache_reasons[number(reason)]; }
constexpr std::string_view term(events::Backend backend) { return backends[number(backend)]; }

// A status out of its range is a bug of ours.
constexpr std::size_t status_class(int status) {
    return status < 100 || status > 599 ? 4 : static_cast<std::size_t>(status / 100 - 1);
}

}  // namespace millrace::telemetry
