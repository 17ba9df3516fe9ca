// Keeps the number of tags bounded: those of the older half are folded into the common floor when the newer half is full.
#include <algorithm>

#include "millrace/core/fence.hpp"

namespace millrace::fence {

// The state of a tag, as the one that was invalidated last.
Fence::State& Fence::touch(const Tag& tag) {
    auto it = states_.find(tag);
    if (it == states_.end()) {
        make_room();
        it = states_.try_emplace(tag).first;
        it->second.tag = &it->first;
    } else {
        unlink(it->second);
    }
    State& state = it->second;
    link_newest(state);
    if (state.generation != generation_) ++young_;
    state.generation = generation_;
    return state;
}

// Folding a whole generation at once raises the floor once in tags_max / 2 new tags, and only to where that generation
// began: entries that were read since then stay valid.
void Fence::make_room() {
    if (young_ >= tags_max_ / 2) {
        fold_old_generation();
        ++generation_;
        young_ = 0;
        generation_floor_.reset();
    }
    while (states_.size() >= tags_max_) forget_oldest();
}

void Fence::fold_old_generation() {
    if (!fenced_ || !generation_floor_) return;
    bool folded = false;
    for (State* state = oldest_; state != nullptr && state->generation != generation_;) {
        State* const next = state->newer;
        if (holds(*state, *generation_floor_)) {
            erase(*state);
            folded = true;
        }
        state = next;
    }
    if (folded) raise(floor_, generation_floor_);
}

// No heartbeat has seen its xids: whatever does not see them is invalid whichever tags it has, until one does.
void Fence::forget_oldest() {
    State& state = *oldest_;
    lost_.add(state.lost);
    for (const Xid xid : state.ring) lost_.add(xid);
    if (state.floor) raise(floor_, state.floor);
    erase(state);
}

void Fence::link_newest(State& state) {
    state.older = newest_;
    state.newer = nullptr;
    (newest_ != nullptr ? newest_->newer : oldest_) = &state;
    newest_ = &state;
}

void Fence::link_oldest(State& state) {
    state.older = nullptr;
    state.newer = oldest_;
    (oldest_ != nullptr ? oldest_->older : newest_) = &state;
    oldest_ = &state;
}

void Fence::unlink(State& state) {
    (state.older != nullptr ? state.older->newer : oldest_) = state.newer;
    (state.newer != nullptr ? state.newer->older : newest_) = state.older;
}

void Fence::erase(State& state) {
    unlink(state);
    if (!state.lost.empty()) std::erase(indebted_, &state);
    if (state.generation == generation_) --young_;
    states_.erase(states_.find(*state.tag));
}

}  // namespace millrace::fence
