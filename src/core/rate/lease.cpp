// What a process may let through of what it holds, and how much more it asks for.
#include "millrace/core/rate.hpp"

namespace millrace::rate {

Lease::Answer Lease::look(std::uint64_t cost, TimePoint now) const {
    if (older_.at(now) + newer_.at(now) >= needed(cost)) return Answer::pass;
    return now < refused_until_ ? Answer::refuse : Answer::ask;
}

void Lease::take(std::uint64_t cost, TimePoint now) {
    older_.tokens = older_.at(now);
    newer_.tokens = newer_.at(now);
    const std::uint64_t all = needed(cost), old = std::min(all, older_.tokens);
    older_.tokens -= old;
    newer_.tokens -= all - old;
    used_ += all;
    owed_ = 0;
}

std::uint64_t Lease::wanted(std::uint64_t cost, std::uint64_t most) const {
    return std::max(std::min(used_ + needed(cost), most), needed(cost));
}

// Each token ends when its own lease does: tokens that were kept over would come on top of those that came back meanwhile.
void Lease::grant(const Granted& granted, TimePoint asked) {
    remaining_ = granted.remaining;
    if (granted.tokens == 0) {
        refused_until_ = asked + std::max<Duration>(granted.retry_after, refusal_min);
        return;
    }
    if (older_.at(asked) == 0)
        older_ = newer_;
    else
        older_.tokens += newer_.tokens;
    newer_ = {granted.tokens, asked + lease_life};
    granted_ = held();
    used_ = 0;
    refused_until_ = {};
}

void Lease::charge(std::uint64_t cost) { owed_ = std::min(owed_ + cost, count_max); }

Lease& Leases::at(std::string_view key) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        slots_.splice(slots_.begin(), slots_, found->second);
        return slots_.front().lease;
    }
    if (slots_.size() >= most_) {
        by_key_.erase(slots_.back().key);
        slots_.pop_back();
    }
    slots_.push_front({std::string(key), {}});
    by_key_.emplace(slots_.front().key, slots_.begin());
    return slots_.front().lease;
}

}  // namespace millrace::rate
