// Makes one source of invalidations out of two that must both be alive.
#include <algorithm>

#include "millrace/core/feed.hpp"

namespace millrace::feed {
namespace {

constexpr std::size_t own_max = 64;

// One primary's snapshots are each contained in the next; others cannot be compared.
const PgSnapshot* earlier_of(const PgSnapshot& a, const PgSnapshot& b) {
    if (a.contains(b)) return &b;
    return b.contains(a) ? &a : nullptr;
}

}  // namespace

Pair::Outcome Pair::listening(Side side, const PgSnapshot& since) {
    of(side) = {since, since, {}};
    Outcome outcome;
    if (const PgSnapshot* both = this->since()) outcome.listening = *both;
    return outcome;
}

void Pair::lost(Side side) {
    of(side) = {};
    if (side == Side::notify) own_.clear();
}

// The later one: what it does not see, neither side misses.
const PgSnapshot* Pair::since() const {
    if (!notify_.since || !decoded_.since) return nullptr;
    const PgSnapshot* const earlier = earlier_of(*notify_.since, *decoded_.since);
    if (earlier == nullptr) return nullptr;
    return earlier == &*notify_.since ? &*decoded_.since : &*notify_.since;
}

// The earlier of both sides' beats, once it is not before the gap's end.
Pair::Outcome Pair::beat(Side side, const PgSnapshot& snapshot, Duration lag, TimePoint now) {
    State& state = of(side);
    if (!state.since) return {};
    state.beat = snapshot;
    if (side == Side::notify) {
        if (own_.size() == own_max) own_.pop_back();
        own_.push_back({now - lag, snapshot});
    }
    const PgSnapshot* const both = since();
    if (both == nullptr) return {};
    const PgSnapshot* const earlier = earlier_of(*notify_.beat, *decoded_.beat);
    if (earlier == nullptr) return {};
    const Duration old = age(*earlier, now);
    if (!earlier->contains(*both)) return {};
    Outcome outcome;
    outcome.beat = *earlier;
    outcome.lag = old > age_max_ ? old : lag;
    return outcome;
}

// Of the newest own snapshot that it contains; until it contains one, of the oldest there is.
Duration Pair::age(const PgSnapshot& caught_up, TimePoint now) {
    while (own_.size() > 1 && caught_up.contains(own_[1].snapshot)) own_.pop_front();
    return own_.empty() ? Duration::zero() : now - own_.front().taken;
}

}  // namespace millrace::feed
