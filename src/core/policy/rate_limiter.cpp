// Decides whether a key may take another request now: the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
#include <algorithm>

#include "millrace/core/policy.hpp"

namespace millrace::policy {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

// Rounded up: a shorter interval would let through more than was promised.
Duration interval_of(std::uint64_t per_second) {
    if (per_second == 0) return Duration::zero();
    constexpr std::uint64_t second = 1'000'000'000;
    return Nanoseconds(static_cast<std::int64_t>(second / per_second + (second % per_second == 0 ? 0 : 1)));
}

}  // namespace

RateLimiter::RateLimiter(std::uint64_t per_second, std::uint64_t burst, std::size_t keys_max)
    : interval_(interval_of(per_second)),
      burst_(std::min<std::uint64_t>(burst == 0 ? per_second : burst, 1'000'000'000)),
      keys_max_(std::max<std::size_t>(keys_max, 1)) {
    tolerance_ = interval_ * static_cast<std::int64_t>(burst_);
}

Verdict RateLimiter::take(std::string_view key, TimePoint now, std::uint64_t cost) {
    if (interval_ == Duration::zero()) return {true, Duration::zero(), burst_};
    if (cost > burst_) return {false, tolerance_, 0};
    Slot& at = slot(key, now);
    const TimePoint arrival = std::max(at.theoretical_arrival, now) + interval_ * static_cast<std::int64_t>(cost);
    const Duration debt = arrival - now;
    if (debt > tolerance_) return {false, debt - tolerance_, 0};
    at.theoretical_arrival = arrival;
    return {true, Duration::zero(), static_cast<std::uint64_t>((tolerance_ - debt) / interval_)};
}

bool RateLimiter::would_take(std::string_view key, TimePoint now) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || interval_ == Duration::zero()) return burst_ > 0 || interval_ == Duration::zero();
    return std::max(found->second->theoretical_arrival, now) + interval_ - now <= tolerance_;
}

RateLimiter::Slot& RateLimiter::slot(std::string_view key, TimePoint now) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        slots_.splice(slots_.begin(), slots_, found->second);
        return slots_.front();
    }
    if (slots_.size() >= keys_max_) {
        by_key_.erase(slots_.back().key);
        slots_.pop_back();
    }
    slots_.push_front({std::string(key), now});
    by_key_.emplace(slots_.front().key, slots_.begin());
    return slots_.front();
}

}  // namespace millrace::policy
