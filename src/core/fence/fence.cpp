// Decides whether an entry still holds, from the xids that invalidated its tags and the floors below which all is seen.
#include <algorithm>

#include "millrace/core/fence.hpp"

namespace millrace::fence {

void Fence::Range::add(Xid xid) {
    lowest = std::min(lowest, xid);
    highest = std::max(highest, xid);
}

void Fence::Range::add(const Range& other) {
    lowest = std::min(lowest, other.lowest);
    highest = std::max(highest, other.highest);
}

bool Fence::Range::seen_by(const PgSnapshot& snapshot) const {
    if (empty() || highest < snapshot.xmin) return true;
    if (highest >= snapshot.xmax) return false;
    const auto first = std::ranges::lower_bound(snapshot.in_progress, lowest);
    return first == snapshot.in_progress.end() || *first > highest;
}

Fence::Fence(std::size_t tags_max, std::size_t ring_max, std::size_t pending_max, std::size_t purges_max)
    : tags_max_(std::max<std::size_t>(tags_max, 2)),
      ring_max_(ring_max),
      pending_max_(pending_max),
      purges_max_(purges_max),
      floor_(std::make_shared<PgSnapshot>()),
      latest_(floor_) {}

bool Fence::valid(const PgSnapshot& snapshot, std::span<const Tag> tags) const {
    if (!fenced_ || !snapshot.contains(*floor_)) return false;
    if (snapshot.xmin > highest_) return true;
    if (!lost_.seen_by(snapshot) || !holds(everything_, snapshot)) return false;
    for (const Tag& tag : tags) {
        const auto it = states_.find(tag);
        if (it != states_.end() && !holds(it->second, snapshot)) return false;
    }
    return true;
}

// A write transaction that stays open holds xmin back, and then the ring decides; usually the first comparison does. Asked of
// a floor, it says whether the floor would do instead of the state.
bool Fence::holds(const State& state, const PgSnapshot& snapshot) {
    if (state.floor && !snapshot.contains(*state.floor)) return false;
    if (snapshot.xmin > state.highest) return true;
    return state.lost.seen_by(snapshot) && std::ranges::all_of(state.ring, [&](Xid xid) { return snapshot.sees(xid); });
}

void Fence::invalidate(const Invalidation& invalidation) {
    const Xid xid = invalidation.xid;
    for (const Tag& tag : invalidation.purged) purges_.add(tag, {xid, xid}, purges_max_);
    // Whoever contains the floor sees this xid. While unfenced, floors may be of a past timeline, and prove nothing.
    if (fenced_ && floor_->sees(xid)) return;
    bool changed = false;
    for (const Tag& tag : invalidation.tags) changed |= add(tag == everything ? everything_ : touch(tag), xid);
    if (changed) ++version_;
}

bool Fence::add(State& state, Xid xid) {
    if (std::ranges::find(state.ring, xid) != state.ring.end()) return false;
    if (fenced_ && state.floor && state.floor->sees(xid)) return false;
    state.ring.push_back(xid);
    state.highest = std::max(state.highest, xid);
    highest_ = std::max(highest_, xid);
    if (state.ring.size() > ring_max_) fold(state);
    return true;
}

void Fence::owe(State& state, const Range& range) {
    if (range.empty()) return;
    if (state.lost.empty()) indebted_.push_back(&state);
    state.lost.add(range);
}

// Snapshots of one Postgres contain one another in the order in which they were taken; the join is for those that are not.
void Fence::raise(Floor& floor, const Floor& to) {
    if (!floor || to->contains(*floor)) {
        floor = to;
    } else if (!floor->contains(*to)) {
        floor = std::make_shared<const PgSnapshot>(join(*floor, *to));
    }
}

// The latest heartbeat was received before the xid that came just now, so this raises the floor at no cost: whatever sees
// the newest xid was read after that heartbeat.
void Fence::fold(State& state) {
    if (fenced_ && std::erase_if(state.ring, [&](Xid xid) { return latest_->sees(xid); }) > 0) state.floor = latest_;
    if (state.ring.size() > ring_max_ + pending_max_) {
        Range range;
        for (const Xid xid : state.ring) range.add(xid);
        owe(state, range);
        state.ring.clear();
    }
    state.highest = state.lost.highest;
    for (const Xid xid : state.ring) state.highest = std::max(state.highest, xid);
}

// Its snapshot may be older than some invalidations that were sent before it, so nothing is taken as seen unchecked.
// One that comes while unfenced may be newer than the snapshot with which the gap will end, and must settle nothing.
void Fence::heartbeat(const PgSnapshot& snapshot) {
    if (!fenced_ || latest_->contains(snapshot)) return;
    latest_ = std::make_shared<const PgSnapshot>(snapshot);
    if (!generation_floor_) generation_floor_ = latest_;
    std::erase_if(indebted_, [&](State* state) {
        if (!state->lost.seen_by(*latest_)) return false;
        state->lost = {};
        state->floor = latest_;
        ++version_;
        return true;
    });
    if (!lost_.empty() && lost_.seen_by(*latest_)) {
        lost_ = {};
        floor_ = latest_;
        ++version_;
    }
}

// An invalidation that was received and that `since` does not see stays in force, and a floor is never lowered.
void Fence::gap(const PgSnapshot& since) {
    if (!fenced_ || !latest_->contains(since)) latest_ = std::make_shared<const PgSnapshot>(since);
    if (!fenced_ || !floor_->contains(since)) floor_ = generation_floor_ = std::make_shared<const PgSnapshot>(since);
    fenced_ = true;
    ++version_;
    heard_ = floor_;
    for (State* state = oldest_; state != nullptr;) {
        State* const next = state->newer;
        if (holds(*state, *floor_)) erase(*state);
        state = next;
    }
    if (holds(everything_, *floor_)) {
        std::erase(indebted_, &everything_);
        everything_ = {};
    }
    if (lost_.seen_by(*floor_)) lost_ = {};
    std::erase_if(purges_.ranges, [&](const auto& purge) { return purge.second.seen_by(*heard_); });
    if (purges_.rest.seen_by(*heard_)) purges_.rest = {};
}

void Fence::unfence() {
    if (fenced_) ++version_;
    fenced_ = false;
}

void Fence::forget() {
    fenced_ = false;
    ++version_;
    floor_ = latest_ = std::make_shared<const PgSnapshot>();
    generation_floor_.reset();
    heard_.reset();
    lost_ = {};
    everything_ = {};
    highest_ = 0;
    purges_ = {};
    young_ = 0;
    oldest_ = newest_ = nullptr;
    indebted_.clear();
    states_.clear();
}

}  // namespace millrace::fence
