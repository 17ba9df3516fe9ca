// Decides when workers may trust their caches: after a gap only with a snapshot taken since, from a database known to be the
// same.
#include "invalidator.hpp"

#include "millrace/io/net.hpp"

namespace millrace::app {

Invalidator::Invalidator(const Workers& workers, Duration lag_limit, events::Observer& observer,
                         std::function<void(bool files_too)> reload)
    : workers_(workers), lag_limit_(lag_limit), observer_(observer), reload_(std::move(reload)) {}

pg::Notifications Invalidator::callbacks() {
    pg::Notifications calls;
    calls.notified = [this](std::string_view payload, std::string_view channel) { notified(payload, channel); };
    calls.listening = [this](std::string_view snapshot) { listening(snapshot); };
    calls.heartbeat = [this](std::string_view snapshot, TimePoint asked) { heartbeat(snapshot, asked); };
    calls.lost = [this](std::string_view reason) { lost(reason); };
    return calls;
}

void Invalidator::notified(std::string_view payload, std::string_view channel) {
    if (channel == pg::control_channel) {
        if (payload == "reload schema") {
            distrust("the schema is read again");
            reread(false);
        }
        if (payload == "reload config") reread(true);
        return;
    }
    const auto parsed = fence::parse_invalidation(payload);
    // Whoever may NOTIFY may send nonsense; what cannot be read might have been an invalidation, so the caches start anew.
    if (!parsed) {
        distrust("an invalidation could not be read");
        return reread(false);
    }
    apply(*parsed, channel == pg::decoding_channel ? "decoding" : "trigger");
}

void Invalidator::apply(const fence::Invalidation& invalidation, std::string_view source) {
    observer_.on(events::InvalidationSeen{source, invalidation.tags.size()});
    const auto shared = std::make_shared<const fence::Invalidation>(invalidation);
    for (const auto& worker : workers_) worker->invalidate(shared);
}

void Invalidator::listening(std::string_view snapshot) {
    const auto parsed = fence::PgSnapshot::parse(snapshot);
    if (!parsed) return lost("the snapshot could not be read");
    listening_ = true;
    late_ = false;
    since_ = std::make_shared<const fence::PgSnapshot>(*parsed);
    observer_.on(events::InvalidationSeen{"gap", 0});
    // The gap ends in catalog_read(): after a failover xids are used again, so first it must be known whose they are.
    reread(false);
}

void Invalidator::reread(bool files_too) {
    refused_ = false;
    reading_ = true;
    reload_(files_too);
}

void Invalidator::catalog_read(Epoch epoch, std::string_view snapshot, TimePoint asked) {
    reading_ = false;
    if (!listening_ || !since_ || late_) return;
    if (fenced_ && epoch == epoch_) return;
    epoch_ = epoch;
    // Whatever asked for the catalog came before it: entries from before are of the one before.
    if (const auto read = fence::PgSnapshot::parse(snapshot)) advance(*read);
    for (const auto& worker : workers_) worker->fence(epoch, since_, asked);
    set_fenced(true, "listening");
}

void Invalidator::catalog_refused() {
    reading_ = false;
    refused_ = true;
    distrust("the catalog does not fit the route tables");
}

void Invalidator::catalog_changed(std::string_view snapshot) {
    const auto parsed = fence::PgSnapshot::parse(snapshot);
    if (!parsed || !listening_) return;  // not listening: a gap is to come anyway
    observer_.on(events::InvalidationSeen{"poll", 1});
    distrust("the catalog has changed");
    advance(*parsed);
    reread(false);
}

void Invalidator::heartbeat(std::string_view snapshot, TimePoint asked) {
    const Duration lag = net::now() - asked;
    observer_.on(events::InvalidationLag{lag});
    lag_ = lag;
    const auto parsed = fence::PgSnapshot::parse(snapshot);
    if (!parsed || !listening_) return;
    late_ = lag > lag_limit_;
    if (late_) return distrust("invalidations are late");
    // The channel has caught up: everything before this beat was heard, so a gap may end here.
    advance(*parsed);
    if (!fenced_) {
        if (!refused_ && !reading_) reread(false);
        return;
    }
    const auto shared = std::make_shared<const fence::PgSnapshot>(*parsed);
    for (const auto& worker : workers_) worker->heartbeat(shared, asked);
}

// A beat that was underway is older than what a gap must see.
void Invalidator::advance(const fence::PgSnapshot& snapshot) {
    if (!since_ || !since_->contains(snapshot)) since_ = std::make_shared<const fence::PgSnapshot>(snapshot);
}

void Invalidator::lost(std::string_view reason) {
    listening_ = false;
    for (const auto& worker : workers_) worker->lose();
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
