// Numbers that one thread writes without a lock and any thread may read: relaxed atomics, a plain load and store on x86 and
// ARM.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "millrace/core/base.hpp"

namespace millrace::telemetry {

class Counter {
public:
    void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    explicit Gauge(std::int64_t first = 0) : value_(first) {}
    void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t n) { set(get() + n); }
    [[nodiscard]] std::int64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_;
};

// From 50 µs, where an answer out of the cache ends, to the default deadlines.
constexpr std::array<double, 17> bucket_bounds_s = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                    0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};

class Histogram {
public:
    static constexpr std::size_t buckets = bucket_bounds_s.size() + 1;  // the last one is +Inf

    void observe(Duration took) {
        const auto ns = static_cast<std::uint64_t>(std::max<Duration>(took, Duration::zero()) / std::chrono::nanoseconds(1));
        std::size_t bucket = 0;
        while (bucket < bounds_ns.size() && ns > bounds_ns[bucket]) ++bucket;
        counts_[bucket].add();
        sum_ns_.add(ns);
    }
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return counts_[bucket].get(); }
    [[nodiscard]] std::uint64_t sum_ns() const { return sum_ns_.get(); }

private:
    static constexpr auto bounds_ns = [] {
        std::array<std::uint64_t, bucket_bounds_s.size()> bounds{};
        for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = static_cast<std::uint64_t>(bucket_bounds_s[i] * 1e9 + 0.5);
        return bounds;
    }();

    std::array<Counter, buckets> counts_;
    Counter sum_ns_;
};

}  // namespace millrace::telemetry
