// Decisions about load and failure as pure state: state + event + now → decision. No lock, no clock, no log.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "millrace/core/base.hpp"

namespace millrace::policy {

// Waits between attempts to connect: exponential with full jitter.
class Backoff {
public:
    Backoff(Duration first, Duration most) : first_(first), most_(most) {}
    // `random` is uniform in [0, 1).
    [[nodiscard]] Duration next(double random);
    void reset() { attempt_ = 0; }

private:
    Duration first_, most_;
    unsigned attempt_ = 0;
};

struct Verdict {
    bool allowed = true;
    Duration retry_after{};  // when refused
    std::uint64_t remaining = 0;
};

// GCRA over a bounded set of keys; the least recently used key is forgotten first. In any span t a key that is not forgotten
// gets at most burst + per_second × t. per_second 0: no limit; burst 0: as many as per_second.
class RateLimiter {
public:
    RateLimiter(std::uint64_t per_second, std::uint64_t burst, std::size_t keys_max);
    RateLimiter(RateLimiter&&) = default;
    RateLimiter& operator=(RateLimiter&&) = default;

    [[nodiscard]] Verdict take(std::string_view key, TimePoint now, std::uint64_t cost = 1);
    [[nodiscard]] bool would_take(std::string_view key, TimePoint now) const;  // one; nothing is taken
    [[nodiscard]] std::size_t keys() const { return slots_.size(); }

private:
    struct Slot {
        std::string key;
        TimePoint theoretical_arrival;
    };
    Slot& slot(std::string_view key, TimePoint now);

    Duration interval_, tolerance_;
    std::uint64_t burst_;
    std::size_t keys_max_;
    std::list<Slot> slots_;  // most recently used first
    std::unordered_map<std::string_view, std::list<Slot>::iterator> by_key_;
};

// Closed → open after `failures_max` failures in a row; one probe after `open_for`; closed again when it succeeds. A probe of
// which nothing is heard is followed by another after `open_for`.
class Breaker {
public:
    Breaker(unsigned failures_max, Duration open_for) : failures_max_(failures_max), open_for_(open_for) {}
    [[nodiscard]] bool allows(TimePoint now);
    void succeeded();
    void failed(TimePoint now);
    void reset() { failures_ = 0, open_ = probing_ = false; }  // it is known to be well, whatever was sent when
    [[nodiscard]] bool open() const { return open_; }
    // What allows() would say, for those who choose between several.
    [[nodiscard]] bool would_allow(TimePoint now) const { return !open_ || now - opened_ >= open_for_; }

private:
    unsigned failures_max_;
    Duration open_for_;
    unsigned failures_ = 0;
    bool open_ = false, probing_ = false;
    TimePoint opened_{};  // or when the last probe was let through
};

// Retries as a share of requests, so that they cannot multiply the load of what has failed: each request earns `percent`
// hundredths of a retry, and a few are there at first, for what is seldom asked.
class RetryBudget {
public:
    explicit RetryBudget(std::uint64_t percent);
    void requested();
    [[nodiscard]] bool take();  // one retry, if there is one left

private:
    std::uint64_t percent_;
    std::uint64_t hundredths_;  // of a retry; bounded, so that a long quiet time does not pay for a storm
};

// Which statements are known to be cheap: a moving average of the measured time by the statement's shape. Bounded: shapes that
// were not measured again while half of `shapes_max` others were are forgotten.
class ShapeTimes {
public:
    explicit ShapeTimes(std::size_t shapes_max) : shapes_max_(shapes_max) {}
    void record(std::uint64_t shape, Duration took);
    // Unknown shapes are not cheap until they were measured a few times.
    [[nodiscard]] bool cheap(std::uint64_t shape, Duration limit) const;
    [[nodiscard]] std::size_t shapes() const { return young_.size() + old_.size(); }

private:
    struct Average {
        double micros = 0;
        unsigned count = 0;
    };
    using Averages = std::unordered_map<std::uint64_t, Average>;
    Average& average(std::uint64_t shape);

    std::size_t shapes_max_;
    Averages young_, old_;  // the young become the old when they are half of shapes_max
};

}  // namespace millrace::policy
