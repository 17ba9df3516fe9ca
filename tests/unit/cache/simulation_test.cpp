// Seeded histories of one Postgres and several replicas around the real Fence and Store: whatever is served must be at least
// as new as everything the replica has heard of. A planted fault must be noticed, so the test can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>

#include "millrace/core/cache.hpp"

namespace millrace::cache {
namespace {

using namespace fence;

constexpr std::size_t tag_count = 4, replica_count = 3;
using Versions = std::array<std::uint64_t, tag_count>;  // of each tag: the number of the last commit that touched it
using TagSet = std::uint32_t;                           // one bit a tag; also the key of the read that depends on them

enum class Fault {
    none,
    in_progress_ignored,     // entries are taken to see whatever began before them
    bare_xmin,               // entries are taken to see nothing from their xmin on: an open transaction switches the cache off
    gap_without_floor,       // after a gap the old floor goes on
    gap_forgets_the_unseen,  // what arrived before the gap ended and is not in its snapshot is dropped
    snapshot_after_read,     // the race between reading and invalidating
};

const std::array<Tag, tag_count> names = {"api.a", "api.b", "api.c#1", "api.c#2"};

std::vector<Tag> tags_of(TagSet set) {
    std::vector<Tag> tags;
    for (std::size_t i = 0; i < tag_count; ++i)
        if ((set >> i & 1) != 0) tags.push_back(names[i]);
    return tags;
}

struct Message {
    PgSnapshot beat;  // of a heartbeat
    Xid xid = 0;      // of an invalidation, else 0
    TagSet tags = 0;
    std::uint64_t commit = 0;
};

// Transactions and what they see, as in procarray.c: xmax is one past the last completed xid, not past the last begun.
struct Postgres {
    Xid next = 100, completed = 99;
    std::map<Xid, TagSet> open;
    Versions versions{};
    std::uint64_t commits = 0;

    [[nodiscard]] PgSnapshot snapshot() const {
        PgSnapshot taken{completed + 1, completed + 1, {}};
        for (const auto& [xid, tags] : open)
            if (xid < taken.xmax) taken.in_progress.push_back(xid);
        if (!taken.in_progress.empty()) taken.xmin = taken.in_progress.front();
        return taken;
    }
    Xid begin(TagSet tags) {
        open.emplace(next, tags);
        return next++;
    }
    void abort(Xid xid) {
        open.erase(xid);
        completed = std::max(completed, xid);
    }
    Message commit(Xid xid) {
        const TagSet tags = open.at(xid);
        abort(xid);
        ++commits;
        for (std::size_t i = 0; i < tag_count; ++i)
            if ((tags >> i & 1) != 0) versions[i] = commits;
        return {{}, xid, tags, commits};
    }
};

struct Fill {
    TagSet key = 0;
    PgSnapshot snapshot;
    Versions versions{};
};

std::shared_ptr<const Entry> entry_of(const Fill& fill) {
    auto entry = std::make_shared<Entry>();
    entry->tags = tags_of(fill.key);
    entry->snapshot = fill.snapshot;
    entry->body = std::make_shared<const std::string>(reinterpret_cast<const char*>(fill.versions.data()), sizeof(Versions));
    return entry;
}

struct Bounds {
    std::size_t tags, ring, pending;
};

struct Replica {
    enum class Link { up, lost, listening } link = Link::lost;
    Fence fence;
    Store store{2'500};  // a few entries
    std::deque<Message> channel;
    PgSnapshot since, first_floor;  // of the gap that is about to end; of the first
    Versions at_since{};            // what `since` sees
    Versions heard{};               // the oldest that may be served
    std::vector<Fill> fills;

    explicit Replica(Bounds bounds) : fence(bounds.tags, bounds.ring, bounds.pending) {}
};

class Simulation {
public:
    Simulation(std::uint64_t seed, Fault fault) : random_(seed), fault_(fault) {
        roomy_ = chance(2);
        const Bounds bounds = roomy_ ? Bounds{100'000, 8, 64} : Bounds{2 + pick(3), pick(3), pick(3)};
        for (std::size_t i = 0; i < replica_count; ++i) replicas_.push_back(std::make_unique<Replica>(bounds));
        for (auto& replica : replicas_) {
            replica->since = postgres_.snapshot();
            if (!chance(4)) end_gap(*replica);
        }
        if (chance(2)) postgres_.begin(any_tags());  // stays open for long
    }

    // False as soon as something too old is served, or something is refused that had to be valid.
    bool run(int steps) {
        while (sound_ && steps-- > 0) step();
        return sound_;
    }

    std::uint64_t hits = 0, reads = 0;

private:
    std::size_t pick(std::size_t count) { return random_() % count; }
    bool chance(std::size_t one_in) { return pick(one_in) == 0; }
    TagSet one_tag() { return TagSet{1} << pick(tag_count); }
    TagSet any_tags() { return chance(3) ? one_tag() | one_tag() | one_tag() : one_tag(); }

    void step() {
        Replica& replica = *replicas_[pick(replica_count)];
        const std::size_t what = pick(100);
        if (what < 5) {
            postgres_.begin(any_tags());
        } else if (what < 11) {
            end_transaction(replica);
        } else if (what < 15) {
            beat();
        } else if (what < 38) {
            deliver(replica);
        } else if (what < 44) {
            change_link(replica);
        } else if (what < 56) {
            finish_fill(replica);
        } else if (what < 57) {
            shared_.clear();
        } else {
            read(replica);
        }
    }

    void end_transaction(Replica& replica) {
        if (postgres_.open.empty()) return;
        const bool longest = chance(20);  // the oldest is mostly left open
        const std::size_t index = postgres_.open.size() == 1 || longest ? 0 : 1 + pick(postgres_.open.size() - 1);
        if (index == 0 && !longest && chance(2)) return;
        const Xid xid = std::next(postgres_.open.begin(), static_cast<std::ptrdiff_t>(index))->first;
        if (chance(6)) return postgres_.abort(xid);
        const Message message = postgres_.commit(xid);
        send(message);
        if (chance(3)) apply(replica, message);  // it was this replica's own write
    }

    // Taken now, committed and sent a while later.
    void beat() {
        if (beat_) send(*std::exchange(beat_, std::nullopt));
        if (chance(2)) beat_ = Message{postgres_.snapshot(), 0, 0, 0};
    }

    void send(const Message& message) {
        for (auto& replica : replicas_)
            if (replica->link != Replica::Link::lost) replica->channel.push_back(message);
    }

    void deliver(Replica& replica) {
        if (replica.channel.empty()) return;
        apply(replica, replica.channel.front());
        if (!chance(10)) replica.channel.pop_front();  // else it comes twice
    }

    void apply(Replica& replica, const Message& message) {
        if (message.xid == 0) {
            return replica.fence.heartbeat(message.beat);
        }
        replica.fence.invalidate({tags_of(message.tags), message.xid});
        for (std::size_t i = 0; i < tag_count; ++i)
            if ((message.tags >> i & 1) != 0) replica.heard[i] = std::max(replica.heard[i], message.commit);
    }

    void change_link(Replica& replica) {
        using enum Replica::Link;
        if (replica.link == up) {
            if (!chance(10)) return;
            replica.link = lost;
            replica.channel.clear();
            replica.fence.unfence();
        } else if (replica.link == lost) {
            replica.link = listening;
            replica.since.xmax = 0;
        } else if (replica.since.xmax == 0) {
            replica.since = postgres_.snapshot();
            replica.at_since = postgres_.versions;
        } else {
            end_gap(replica);
        }
    }

    void end_gap(Replica& replica) {
        replica.link = Replica::Link::up;
        if (replica.first_floor.xmax == 0) replica.first_floor = replica.since;
        if (fault_ == Fault::gap_forgets_the_unseen) replica.fence.forget();
        replica.fence.gap(fault_ == Fault::gap_without_floor ? replica.first_floor : replica.since);
        for (std::size_t i = 0; i < tag_count; ++i) replica.heard[i] = std::max(replica.heard[i], replica.at_since[i]);
    }

    void read(Replica& replica) {
        ++reads;
        const TagSet key = any_tags();
        const std::string name = std::to_string(key);
        if (auto entry = replica.store.find(name); serves(replica, key, entry.get())) return;
        const auto found = shared_.find(key);
        if (found != shared_.end() && serves(replica, key, found->second.get())) {
            replica.store.put(name, found->second);
            return;
        }
        start_fill(replica, key);
    }

    bool serves(Replica& replica, TagSet key, const Entry* entry) {
        if (entry == nullptr || !replica.fence.valid(entry->snapshot, entry->tags)) return false;
        Versions versions;
        std::copy_n(entry->body->data(), sizeof(Versions), reinterpret_cast<char*>(versions.data()));
        for (std::size_t i = 0; i < tag_count; ++i)
            if ((key >> i & 1) != 0 && versions[i] < replica.heard[i]) sound_ = false;
        ++hits;
        return true;
    }

    void start_fill(Replica& replica, TagSet key) {
        Fill fill{key, postgres_.snapshot(), postgres_.versions};
        if (fault_ == Fault::in_progress_ignored) fill.snapshot = {fill.snapshot.xmax, fill.snapshot.xmax, {}};
        if (fault_ == Fault::bare_xmin) fill.snapshot = {fill.snapshot.xmin, fill.snapshot.xmin, {}};
        // Heard of everything and read just now: it must be valid, however long some transaction stays open.
        const bool heard_all = replica.link == Replica::Link::up && replica.channel.empty();
        if (roomy_ && heard_all && !replica.fence.valid(fill.snapshot, tags_of(key))) sound_ = false;
        if (replica.fills.size() < 4) replica.fills.push_back(std::move(fill));
    }

    void finish_fill(Replica& replica) {
        if (replica.fills.empty()) return;
        const auto at = replica.fills.begin() + static_cast<std::ptrdiff_t>(pick(replica.fills.size()));
        if (fault_ == Fault::snapshot_after_read) at->snapshot = postgres_.snapshot();
        const auto entry = entry_of(*at);
        if (!chance(5)) replica.store.put(std::to_string(at->key), entry);
        if (!chance(5)) shared_[at->key] = entry;
        replica.fills.erase(at);
    }

    std::minstd_rand random_;
    Fault fault_;
    bool roomy_ = false, sound_ = true;
    Postgres postgres_;
    std::optional<Message> beat_;
    std::vector<std::unique_ptr<Replica>> replicas_;
    std::map<TagSet, std::shared_ptr<const Entry>> shared_;
};

constexpr std::uint64_t seeds = 20'000;
constexpr int steps = 150;

}  // namespace

TEST(CacheSimulation, nothing_older_than_what_a_replica_has_heard_of_is_served) {
    std::uint64_t hits = 0, reads = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Simulation simulation(seed, Fault::none);
        ASSERT_TRUE(simulation.run(steps)) << "seed " << seed;
        hits += simulation.hits;
        reads += simulation.reads;
    }
    EXPECT_GT(hits * 6, reads) << "the cache must be of use for the test to mean anything";
}

TEST(CacheSimulation, planted_faults_are_noticed) {
    for (const Fault fault : {Fault::in_progress_ignored, Fault::bare_xmin, Fault::gap_without_floor,
                              Fault::gap_forgets_the_unseen, Fault::snapshot_after_read}) {
        std::uint64_t seed = 1;
        while (seed <= seeds && Simulation(seed, fault).run(steps)) ++seed;
        EXPECT_LE(seed, seeds) << "fault " << static_cast<int>(fault) << " went unnoticed";
        RecordProperty("noticed_by_seed_" + std::to_string(static_cast<int>(fault)), std::to_string(seed));
    }
}

}  // namespace millrace::cache
