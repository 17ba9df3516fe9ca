// Decides when workers may trust their caches: after a gap only with a snapshot taken since, from a database known to be the
// same.
#include "invalidator.hpp"

namespace millrace::app {

Invalidator::Invalidator(const Workers& workers, Duration lag_limit, events::Observer& observer,
                         std::function<void(bool files_too)> reload)
    : workers_(workers), lag_limit_(lag_limit), observer_(observer), reload_(std::move(reload)) {}

pg::Notifications Invalidator::callbacks() {
    pg::Notifications calls;
    calls.notified = [this](std::string_view payload, std::string_view channel) { notified(payload, channel); };
    calls.listening = [this](std::string_view snapshot) { listening(snapshot); };
    calls.heartbeat = [this](std::string_view snapshot, Duration lag) { heartbeat(snapshot, lag); };
    calls.lost = [this](std::string_view reason) { lost(reason); };
    return calls;
}

void Invalidator::notified(std::string_view payload, std::string_view channel) {
    if (channel == pg::control_channel) {
        if (payload == "reload schema" || payload == "reload config") reload_(payload == "reload config");
        return;
    }
    const auto parsed = fence::parse_invalidation(payload);
    // Whoever may NOTIFY may send nonsense; what cannot be read might have been an invalidation, so the caches start anew.
    if (!parsed) return distrust("an invalidation could not be read");
    observer_.on(events::InvalidationSeen{channel == pg::decoding_channel ? "decoding" : "trigger", parsed->tags.size()});
    const auto shared = std::make_shared<const fence::Invalidation>(*parsed);
    for (const auto& worker : workers_) worker->invalidate(shared);
}

void Invalidator::listening(std::string_view snapshot) {
    const auto parsed = fence::PgSnapshot::parse(snapshot);
    if (!parsed) return lost("the snapshot could not be read");
    listening_ = true;
    since_ = std::make_shared<const fence::PgSnapshot>(*parsed);
    observer_.on(events::InvalidationSeen{"gap", 0});
    // The gap ends in catalog_read(): after a failover xids are used again, so first it must be known whose they are.
    reload_(false);
}

void Invalidator::catalog_read(Epoch epoch) {
    if (!listening_ || !since_) return;
    if (fenced_ && epoch == epoch_) return;
    epoch_ = epoch;
    for (const auto& worker : workers_) worker->fence(epoch, since_);
    set_fenced(true, "listening");
}

void Invalidator::heartbeat(std::string_view snapshot, Duration lag) {
    observer_.on(events::InvalidationLag{lag});
    const auto parsed = fence::PgSnapshot::parse(snapshot);
    if (!parsed || !listening_) return;
    const auto shared = std::make_shared<const fence::PgSnapshot>(*parsed);
    if (lag > lag_limit_) return distrust("invalidations are late");
    if (!fenced_) {
        // The channel has caught up: everything before this beat was heard, so the gap ends here.
        since_ = shared;
        return reload_(false);
    }
    for (const auto& worker : workers_) worker->heartbeat(shared);
}

void Invalidator::lost(std::string_view reason) {
    listening_ = false;
    distrust(reason);
}

void Invalidator::distrust(std::string_view reason) {
    for (const auto& worker : workers_) worker->unfence();
    set_fenced(false, reason);
}

void Invalidator::set_fenced(bool fenced, std::string_view reason) {
    if (fenced_ == fenced) return;
    fenced_ = fenced;
    observer_.on(events::FenceChanged{fenced, reason});
}

}  // namespace millrace::app
