// Decides whose turn it is and who need not wait at all.
#include <algorithm>
#include <chrono>

#include "millrace/core/congestion.hpp"

namespace millrace::congestion {
namespace {

constexpr int newest_share = 8;  // of the moving averages: an eighth
// What is waited for, in halves of the time that a place is held: with it an answer takes two and a half times as long.
constexpr int half_holdings = 3;

void move_towards(Duration& average, Duration newest) {
    average = average == Duration::zero() ? newest : average + (newest - average) / newest_share;
}

}  // namespace

Duration FairQueue::patience(Priority priority) const {
    const Duration patience = std::max(target_, held_ * half_holdings / 2);
    return priority == Priority::low ? patience / 2 : patience;
}

// Whoever has a higher priority goes first, and of one's own each caller as often as oneself until then.
Duration FairQueue::wait_of(Priority priority, std::uint64_t caller) const {
    std::size_t ahead = 0;
    for (auto above = static_cast<std::size_t>(priority) + 1; above < priorities; ++above)
        for (const Flow& flow : rings_[above].flows) ahead += flow.waiting.size();
    const Ring& ring = rings_[static_cast<std::size_t>(priority)];
    const auto own = ring.by_caller.find(caller);
    const std::size_t turns = own == ring.by_caller.end() ? 0 : own->second->waiting.size();
    for (const Flow& flow : ring.flows) ahead += std::min(flow.waiting.size(), flow.caller == caller ? turns : turns + 1);
    // A place is free again after it was held for once, at the latest; a longer interval was one in which nothing was free at
    // all.
    return std::min(interval_, held_) * static_cast<Duration::rep>(ahead);
}

WaitingPointer FairQueue::push(WaitingPointer one, TimePoint now) {
    if (wait_of(one->priority, one->caller) > patience(one->priority)) return one;
    if (size_ >= size_max_) {
        WaitingPointer refused = make_room(one);
        if (refused == one) return one;
        flow_of(*one).waiting.push_back(std::move(one));
        return refused;
    }
    if (size_++ == 0) last_pop_ = now;
    flow_of(*one).waiting.push_back(std::move(one));
    return nullptr;
}

void FairQueue::push_front(WaitingPointer one) {
    ++size_;
    flow_of(*one).waiting.push_front(std::move(one));
}

// Of those with the lowest priority who has the most gives up his newest; `one` itself if that is his.
WaitingPointer FairQueue::make_room(WaitingPointer one) {
    const auto lowest = std::ranges::find_if(rings_, [](const Ring& ring) { return !ring.flows.empty(); });
    if (lowest == rings_.end() || lowest - rings_.begin() > static_cast<std::ptrdiff_t>(one->priority)) return one;
    const auto most = std::ranges::max_element(lowest->flows, {}, [](const Flow& flow) { return flow.waiting.size(); });
    const bool same_priority = lowest - rings_.begin() == static_cast<std::ptrdiff_t>(one->priority);
    const auto own = lowest->by_caller.find(one->caller);
    const std::size_t of_own = same_priority && own != lowest->by_caller.end() ? own->second->waiting.size() : 0;
    if (same_priority && of_own + 1 >= most->waiting.size()) return one;
    WaitingPointer refused = std::move(most->waiting.back());
    most->waiting.pop_back();
    if (most->waiting.empty()) forget(*lowest, most);
    return refused;
}

WaitingPointer FairQueue::pop(TimePoint now) {
    const auto ring = std::find_if(rings_.rbegin(), rings_.rend(), [](const Ring& each) { return !each.flows.empty(); });
    if (ring == rings_.rend()) return nullptr;
    move_towards(interval_, now - last_pop_);
    last_pop_ = now;
    --size_;
    const auto flow = ring->flows.begin();
    WaitingPointer one = std::move(flow->waiting.front());
    flow->waiting.pop_front();
    if (flow->waiting.empty()) {
        forget(*ring, flow);
    } else {
        ring->flows.splice(ring->flows.end(), ring->flows, flow);
    }
    return one;
}

void FairQueue::held(Duration time) { move_towards(held_, time); }

void FairQueue::clear() {
    for (Ring& ring : rings_) {
        ring.by_caller.clear();
        ring.flows.clear();
    }
    size_ = 0;
}

FairQueue::Flow& FairQueue::flow_of(const Waiting& one) {
    Ring& ring = ring_of(one.priority);
    const auto [found, is_new] = ring.by_caller.try_emplace(one.caller);
    if (is_new) found->second = ring.flows.insert(ring.flows.end(), Flow{one.caller, {}});
    return *found->second;
}

void FairQueue::forget(Ring& ring, std::list<Flow>::iterator flow) {
    ring.by_caller.erase(flow->caller);
    ring.flows.erase(flow);
}

void FairQueue::forget_empty() {
    for (Ring& ring : rings_)
        for (auto flow = ring.flows.begin(); flow != ring.flows.end();) {
            const auto next = std::next(flow);
            if (flow->waiting.empty()) forget(ring, flow);
            flow = next;
        }
}

}  // namespace millrace::congestion
