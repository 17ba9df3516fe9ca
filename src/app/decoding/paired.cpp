// Joins what two sources tell by feed::Pair's rule.
#include "paired.hpp"

#include "millrace/io/net.hpp"

namespace millrace::app {

using fence::PgSnapshot;

pg::Notifications Paired::side(feed::Pair::Side side) {
    pg::Notifications calls;
    calls.notified = tell_.notified;
    calls.listening = [this, side](std::string_view snapshot) { listening(side, snapshot); };
    calls.heartbeat = [this, side](std::string_view snapshot, TimePoint asked) { heartbeat(side, snapshot, asked); };
    calls.lost = [this, side](std::string_view reason) { lost(side, reason); };
    return calls;
}

void Paired::listening(feed::Pair::Side side, std::string_view snapshot) {
    const auto since = PgSnapshot::parse(snapshot);
    if (!since) return lost(side, "the snapshot could not be read");
    const auto outcome = pair_.listening(side, *since);
    if (outcome.listening) tell_.listening(outcome.listening->to_string());
}

void Paired::heartbeat(feed::Pair::Side side, std::string_view snapshot, TimePoint asked) {
    const auto beat = PgSnapshot::parse(snapshot);
    if (!beat) return;
    const TimePoint now = net::now();
    const auto outcome = pair_.beat(side, *beat, now - asked, now);
    if (outcome.beat) tell_.heartbeat(outcome.beat->to_string(), now - outcome.lag);
}

void Paired::lost(feed::Pair::Side side, std::string_view reason) {
    pair_.lost(side);
    tell_.lost(reason);
}

}  // namespace millrace::app
