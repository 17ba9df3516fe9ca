// Decides what a bulletin says, what must be said again to those who join, and how far the slot may be confirmed.
#include <algorithm>
#include <utility>

#include "millrace/core/feed.hpp"

namespace millrace::feed {
namespace {

constexpr std::size_t unseen_bytes_max = 1024 * 1024;

}  // namespace

Announcer::Announcer(std::uint64_t term, Life life, Lsn from, std::size_t pending_max)
    : term_(term), life_(life), from_(from), position_(from), pending_max_(pending_max) {}

Bulletin Announcer::opening() {
    Bulletin bulletin = take();
    bulletin.from = from_;
    return bulletin;
}

void Announcer::add(const replication::Transaction& transaction, Xid xid) {
    for (std::string& payload : payloads_of(xid, transaction.words)) {
        next_.payloads.push_back(payload);
        pending_.push_back({transaction.commit, xid, std::move(payload)});
    }
    if (pending_.size() > pending_max_) make_room();
    reached(transaction.end);
}

void Announcer::reached(Lsn position) {
    position_ = std::max(position_, position);
    news_ = true;
}

void Announcer::seen(const PgSnapshot& snapshot) { newest_ = snapshot; }

// What is unseen is listed now: what this bulletin gains after this is among its payloads.
void Announcer::beat(const PgSnapshot& snapshot, Duration lag) {
    next_.beat = Beat{snapshot, lag, joinable(snapshot), {}};
    if (dropped_ != 0 && snapshot.xmin > dropped_) dropped_ = 0;
    forget(snapshot);
    if (next_.beat->joinable) next_.beat->unseen = unseen_by(snapshot);
    std::size_t bytes = 0;
    for (const std::string& payload : next_.beat->unseen) bytes += payload.size();
    if (bytes > unseen_bytes_max) {
        next_.beat->joinable = false;
        next_.beat->unseen.clear();
    }
    news_ = true;
}

bool Announcer::joinable(const PgSnapshot& snapshot) const {
    return snapshot.contains(forgotten_) && (dropped_ == 0 || snapshot.xmin > dropped_);
}

std::vector<std::string> Announcer::unseen_by(const PgSnapshot& snapshot) const {
    std::vector<std::string> payloads;
    for (const Pending& one : pending_)
        if (!snapshot.sees(one.xid)) payloads.push_back(one.payload);
    return payloads;
}

void Announcer::forget(const PgSnapshot& seen) {
    std::erase_if(pending_, [&](const Pending& one) { return seen.sees(one.xid); });
    if (!forgotten_.contains(seen)) forgotten_ = seen;
}

// Beats underway that are older than the snapshot used here are no place to join any more. What not even that one sees goes
// when it must: nobody joins until all up to it has ended, and the slot stays before it until then.
void Announcer::make_room() {
    forget(newest_);
    if (pending_.size() <= pending_max_) return;
    while (pending_.size() > pending_max_ / 4 * 3) {
        if (dropped_ == 0) dropped_from_ = pending_.front().commit;
        dropped_ = std::max(dropped_, pending_.front().xid);
        pending_.pop_front();
    }
}

Bulletin Announcer::take() {
    Bulletin bulletin = std::exchange(next_, {});
    bulletin.term = term_;
    bulletin.sequence = sequence_++;
    bulletin.life = life_;
    bulletin.position = position_;
    news_ = false;
    return bulletin;
}

Lsn Announcer::confirmed() const {
    if (dropped_ != 0) return dropped_from_;
    return pending_.empty() ? position_ : pending_.front().commit;
}

}  // namespace millrace::feed
