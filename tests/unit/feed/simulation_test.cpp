// Seeded histories of one database, announcers that succeed each other, and followers that join, miss and join again: what a
// follower holds valid must see every transaction that the newest beat it heard sees. A planted fault must be noticed.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>

#include "world.hpp"

namespace millrace::feed {
namespace {

using namespace testing_world;

enum class Fault { none, unseen_not_said, confirmed_too_far, holes_unnoticed, successor_unchecked, others_beats_trusted };

constexpr std::size_t tags = 4, followers_count = 3, entries_max = 12;

Lsn place(std::size_t index) { return 10 * (index + 1); }

struct Entry {
    std::size_t tag;
    PgSnapshot snapshot;
};

struct Replica {
    Follower follower;
    fence::Fence fence;
    std::deque<std::string> inbox;
    std::optional<PgSnapshot> proved;
    std::uint64_t renumbered = 0;  // of the fault that hides holes
};

class Simulation {
public:
    Simulation(std::uint64_t seed, Fault fault) : random_(seed), fault_(fault), replicas_(followers_count) {
        for (Replica& replica : replicas_) replica.follower.subscribed();
        succeed();
    }

    // Nothing when all was well.
    std::optional<std::string> run(int steps) {
        for (int step = 0; step < steps; ++step) {
            act();
            if (auto wrong = check()) return "step " + std::to_string(step) + ": " + *wrong;
        }
        return std::nullopt;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    Replica& any() { return replicas_[below(replicas_.size())]; }

    void act() {
        switch (below(16)) {
            case 0:
            case 1:
                if (database_.running.size() < 8) database_.begin(below(tags));
                return;
            case 2:
            case 3:
                return with_running([&](Xid xid) {
                    if (!database_.logged.contains(xid)) database_.write_commit(xid);
                });
            case 4:
            case 5:
                return with_running([&](Xid xid) {
                    if (database_.logged.contains(xid) || below(4) == 0) database_.end(xid);
                });
            case 6:
                return beat();
            case 7:
            case 8:
                return announce();
            case 9:
            case 10:
            case 11:
            case 12:
                return deliver(any());
            case 13:
                entries_.push_back({below(tags), database_.snapshot()});
                if (entries_.size() > entries_max) entries_.pop_front();
                return;
            case 14:
                return below(3) == 0 ? succeed() : lose_one(any());
            case 15:
                return below(3) == 0 ? subscribe_again(any()) : straggle();
        }
    }

    template <class Do>
    void with_running(Do act_on) {
        if (database_.running.empty()) return;
        auto at = database_.running.begin();
        std::advance(at, below(database_.running.size()));
        act_on(at->first);
    }

    void beat() { database_.log.push_back({0, 0, database_.snapshot()}); }

    // The next announcer reads from where the slot was confirmed.
    void succeed() {
        announcer_.emplace(++term_, Life{1, 1}, confirmed_, pending_max_);
        read_ = 0;
        began_ = fault_ == Fault::others_beats_trusted ? 0 : database_.log.size();
        while (read_ < database_.log.size() && place(read_) < confirmed_) ++read_;
        Bulletin opening = announcer_->opening();
        if (fault_ == Fault::successor_unchecked) opening.from = 0;
        publish(opening);
    }

    void announce() {
        const std::size_t end = std::min(database_.log.size(), read_ + 1 + below(4));
        for (; read_ < end; ++read_) take(database_.log[read_]);
        if (!announcer_->has_news()) return;
        publish(announcer_->take());
        confirmed_ = fault_ == Fault::confirmed_too_far ? place(read_) : announcer_->confirmed();
    }

    void take(const Logged& logged) {
        announcer_->seen(database_.snapshot());
        if (logged.xid == 0) {
            if (read_ >= began_) announcer_->beat(logged.snapshot, {});
            announcer_->reached(place(read_) + 5);
            return;
        }
        announcer_->add({0, place(read_), place(read_) + 5, {tag_name(logged.tag)}}, logged.xid);
    }

    void publish(Bulletin bulletin) {
        if (bulletin.beat && fault_ == Fault::unseen_not_said) bulletin.beat->unseen.clear();
        said_.push_back(encode(bulletin));
        if (said_.size() > 20) said_.pop_front();
        for (Replica& replica : replicas_) replica.inbox.push_back(said_.back());
    }

    // What an announcer that was stopped for a while still says.
    void straggle() {
        const std::string again = said_[below(said_.size())];
        if (decode(again)->term < term_) any().inbox.push_back(again);
    }

    void lose_one(Replica& replica) {
        if (!replica.inbox.empty()) replica.inbox.pop_front();
    }

    void subscribe_again(Replica& replica) {
        replica.inbox.clear();
        if (replica.follower.lost("the connection")) replica.fence.unfence();
        replica.proved.reset();
        replica.follower.subscribed();
    }

    void deliver(Replica& replica) {
        if (replica.inbox.empty()) return;
        std::string text = std::move(replica.inbox.front());
        replica.inbox.pop_front();
        if (fault_ == Fault::holes_unnoticed) {
            Bulletin bulletin = *decode(text);
            bulletin.term = 1;
            bulletin.sequence = replica.renumbered++;
            text = encode(bulletin);
        }
        const Heard heard = replica.follower.hear(text, {});
        if (heard.gap) {
            replica.fence.unfence();
            replica.proved.reset();
        }
        for (const auto& payload : heard.payloads) replica.fence.invalidate(*fence::parse_invalidation(payload));
        if (heard.joined) replica.fence.gap(*heard.joined);
        if (heard.beat) replica.fence.heartbeat(*heard.beat);
        if (heard.joined || heard.beat) replica.proved = heard.joined ? heard.joined : heard.beat;
    }

    [[nodiscard]] std::optional<std::string> check() const {
        for (const Replica& replica : replicas_) {
            if (!replica.proved) continue;
            for (const Entry& entry : entries_) {
                const std::vector<fence::Tag> depends = {tag_name(entry.tag)};
                if (!replica.fence.valid(entry.snapshot, depends)) continue;
                const auto writers = database_.visible.find(entry.tag);
                if (writers == database_.visible.end()) continue;
                for (const Xid xid : writers->second)
                    if (replica.proved->sees(xid) && !entry.snapshot.sees(xid))
                        return "an entry of " + entry.snapshot.to_string() + " does not see " + std::to_string(xid) +
                               ", which " + replica.proved->to_string() + " sees";
            }
        }
        return std::nullopt;
    }

    std::mt19937_64 random_;
    Fault fault_;
    std::size_t pending_max_ = 3 + random_() % 40;
    Database database_;
    Lsn confirmed_ = 0;
    std::uint64_t term_ = 0;
    std::size_t read_ = 0, began_ = 0;  // where the log is read, and where it ended when this announcer began
    std::optional<Announcer> announcer_;
    std::deque<std::string> said_;
    std::vector<Replica> replicas_;
    std::deque<Entry> entries_;
};

std::optional<std::string> first_wrong(Fault fault, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        if (auto wrong = Simulation(seed, fault).run(400)) return "seed " + std::to_string(seed) + ", " + *wrong;
    return std::nullopt;
}

}  // namespace

TEST(FeedSimulation, nothing_that_a_beat_sees_is_missed) { EXPECT_EQ(first_wrong(Fault::none, 1'000), std::nullopt); }

TEST(FeedSimulation, planted_faults_are_noticed) {
    for (const Fault fault : {Fault::unseen_not_said, Fault::confirmed_too_far, Fault::holes_unnoticed,
                              Fault::successor_unchecked, Fault::others_beats_trusted})
        EXPECT_NE(first_wrong(fault, 10'000), std::nullopt) << static_cast<int>(fault);
}

}  // namespace millrace::feed
