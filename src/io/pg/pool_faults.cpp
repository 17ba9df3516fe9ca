// Decides what is sent once more, when Postgres is left alone, and when its lanes are to look for another server.
#include <chrono>
#include <utility>

#include "pool_state.hpp"

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration move_every = 1s;  // at most: where no server takes writes, each of them would have all lanes connect anew

}  // namespace

// What has run to its end may have done so before its connection broke: of writes nobody knows. What moves to other lanes has
// not failed.
bool Pool::State::may_repeat(const Request& request, bool moves) {
    if (request.writes || request.handed_on || request.attempts > 0) return false;
    return moves || retries.take();
}

// Whatever the result says, Postgres is well.
void Pool::State::answered() {
    answered_at = net::now();
    breaker.reset();
    look_at_breaker();
}

// A slow statement, or one that waits for a lock, says nothing of Postgres: only that nothing at all was heard since does.
void Pool::State::waited_in_vain(TimePoint since) {
    if (answered_at < since) breaker.failed(net::now());
}

// Who waits for a lane when the breaker opens need not wait until his deadline.
void Pool::State::look_at_breaker() {
    if (reported_open == breaker.open()) return;
    reported_open = breaker.open();
    observer.on(events::BreakerChanged{events::Backend::postgres, reported_open});
    if (!reported_open) return;
    for (const auto& lanes : classes) fail_waiting(lanes.gauge.lane);
    deliver_later();
}

// A write that its server refused since it takes none: nothing of it was done. All lanes connect anew, so that the others need
// not find out by a write each; and what was sent before they do is sent once more.
void Pool::State::read_only(RequestPointer request) {
    const TimePoint now = net::now();
    if (now - moved_at >= move_every) {
        moved_at = now;
        for (auto& lanes : classes)
            for (const auto& lane : lanes.lanes) lane->retire();
    }
    if (request->sent <= moved_at && request->attempts == 0 && retries.take()) {
        request->give_up = now + reconnect_patience;
        return again(std::move(request));
    }
    answer(
        *request,
        with_retry(Fault::database_unavailable).with_details("Postgres takes no writes at the moment; nothing was written."));
}

}  // namespace millrace::pg
