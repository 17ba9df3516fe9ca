// Those who wait: for a lane, and before that for their route's share of the lanes. Who is let in, refused, or told that it was
// in vain.
#include <utility>

#include "pool_state.hpp"

namespace millrace::pg {
namespace {

bool is_answered(const congestion::WaitingPointer& one) { return static_cast<const Request&>(*one).answered(); }

}  // namespace

void Pool::State::place(const RequestPointer& request) {
    auto& lanes = class_of(request->lane);
    Lane* const lane = lanes.queue.empty() ? lanes.choose() : nullptr;
    if (lane != nullptr) {
        lane->send(request);
    } else if (lanes.failing) {
        answer(*request, with_retry(Fault::database_unavailable));
    } else {
        refuse(lanes.queue.push(request, net::now()));
    }
}

// Nobody, or somebody who would wait for too long.
void Pool::State::refuse(const congestion::WaitingPointer& one) {
    if (one == nullptr) return;
    auto& request = static_cast<Request&>(*one);
    observer.on(events::LaneRefused{request.lane, request.priority});
    answer(request, with_retry(Fault::overloaded));
    deliver_later();
}

// A route that may take few lanes has its own queue before that of the lanes.
bool Pool::State::enter(const RequestPointer& request) {
    if (request->route_max == 0) return true;
    const auto [found, is_new] =
        bulkheads.try_emplace(request->route, Bulkhead{0, 0, congestion::FairQueue(settings.queue_max, queue_target)});
    Bulkhead& bulkhead = found->second;
    bulkhead.most = request->route_max;
    if (bulkhead.underway < bulkhead.most) {
        ++bulkhead.underway;
        request->takes_of_route = true;
        return true;
    }
    refuse(bulkhead.waiting.push(request, net::now()));
    return false;
}

void Pool::State::leave(Request& request) {
    if (!std::exchange(request.takes_of_route, false)) return;
    const auto found = bulkheads.find(request.route);
    --found->second.underway;
    if (request.sent != TimePoint()) found->second.waiting.held(request.finished - request.sent);
    with_room.push_back(request.route);
}

void Pool::State::let_in() {
    while (!with_room.empty()) {
        const auto found = bulkheads.find(with_room.back());
        with_room.pop_back();
        if (found == bulkheads.end()) continue;
        Bulkhead& bulkhead = found->second;
        while (bulkhead.underway < bulkhead.most) {
            const auto next = std::static_pointer_cast<Request>(bulkhead.waiting.pop(net::now()));
            if (!next) break;
            if (next->answered()) continue;
            ++bulkhead.underway;
            next->takes_of_route = true;
            place(next);
        }
        if (bulkhead.underway == 0 && bulkhead.waiting.empty()) bulkheads.erase(found);
    }
}

void Pool::State::drain(Class& lanes) {
    while (!lanes.queue.empty()) {
        Lane* const lane = lanes.choose();
        if (lane == nullptr) return;
        auto request = std::static_pointer_cast<Request>(lanes.queue.pop(net::now()));
        if (!request->answered()) lane->send(std::move(request));
    }
}

// Nobody is made to wait for a database that is known to be away, except the reads that were underway when it went.
void Pool::State::fail_waiting(events::LaneClass lane) {
    const auto fail = [&](congestion::FairQueue& queue) {
        queue.each([&](const congestion::WaitingPointer& one) {
            auto& request = static_cast<Request&>(*one);
            if (request.lane == lane && request.attempts == 0) answer(request, with_retry(Fault::database_unavailable));
        });
        queue.erase_if(is_answered);
    };
    fail(class_of(lane).queue);
    for (auto& [route, bulkhead] : bulkheads) fail(bulkhead.waiting);
}

void Pool::State::expire(congestion::FairQueue& queue, TimePoint now) {
    queue.each([&](const congestion::WaitingPointer& one) {
        auto& request = static_cast<Request&>(*one);
        if (now >= request.give_up) answer(request, with_retry(Fault::database_unavailable));
        if (!request.answered() && request.deadline.passed(now)) {
            waited_in_vain(request.since);
            answer(request, with_retry(Fault::lane_timeout));
        }
    });
    queue.erase_if(is_answered);
}

void Pool::State::give_up_all(congestion::FairQueue& queue) {
    queue.each(
        [this](const congestion::WaitingPointer& one) { answer(static_cast<Request&>(*one), with_retry(Fault::draining)); });
    queue.clear();
}

}  // namespace millrace::pg
