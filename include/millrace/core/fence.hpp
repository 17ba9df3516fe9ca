// What Postgres says about change: snapshots, invalidations, and the rule that says whether something read in a snapshot still
// holds. No I/O and no clock. docs/cache.md has the rule; Postgres: "pg_snapshot", functions of 9.26.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "millrace/core/base.hpp"

namespace millrace::fence {

using Xid = std::uint64_t;  // xid8: never wraps

// pg_snapshot: "xmin:xmax:xip,xip".
struct PgSnapshot {
    Xid xmin = 0, xmax = 0;
    std::vector<Xid> in_progress;  // sorted, each once, from xmin on and before xmax

    // Nothing when it is not in order, or lists more than 10,000.
    static std::optional<PgSnapshot> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool sees(Xid xid) const;                      // pg_visible_in_snapshot
    [[nodiscard]] bool contains(const PgSnapshot& other) const;  // whatever `other` sees, this sees too
};

using Tag = std::string;  // "schema.table", or "schema.table#bucket" for reads by full key

struct Invalidation {
    std::vector<Tag> tags;
    Xid xid = 0;
};
// Payload of the triggers' NOTIFY: "xid tag tag …". The tags are taken as they stand, escapes and all, as the planner writes
// them too. Nothing when it is malformed: then something was missed, and a gap must follow.
[[nodiscard]] std::optional<Invalidation> parse_invalidation(std::string_view payload);

// What a replica knows of its tags: the last invalidating xids of each, and floors below which everything is seen.
// Bounded: at most `tags_max` tags, then the oldest are folded into the floor. Not thread-safe: one per worker.
class Fence {
public:
    // A tag keeps `ring_max` xids, and up to `pending_max` more that no heartbeat has seen yet.
    explicit Fence(std::size_t tags_max = 100'000, std::size_t ring_max = 8, std::size_t pending_max = 64);
    Fence(const Fence&) = delete;
    Fence& operator=(const Fence&) = delete;

    void invalidate(const Invalidation& invalidation);  // the same one again changes nothing
    void heartbeat(const PgSnapshot& snapshot);  // may be older than the invalidations applied so far: each xid is checked
    void gap(const PgSnapshot& since);           // something may have been missed before `since`
    void unfence() { fenced_ = false; }          // until the next gap()
    void forget();                               // another cluster or timeline: its xids mean nothing here; unfenced

    [[nodiscard]] bool fenced() const { return fenced_; }
    // The newest snapshot known: a conservative stand-in for a read that brings none of its own and started after it.
    [[nodiscard]] const PgSnapshot& latest() const { return *latest_; }
    // The rule: the snapshot contains the floor, and sees every xid that invalidated one of the tags.
    [[nodiscard]] bool valid(const PgSnapshot& snapshot, std::span<const Tag> tags) const;
    [[nodiscard]] std::size_t tags() const { return states_.size(); }

private:
    using Floor = std::shared_ptr<const PgSnapshot>;
    // Xids that are no longer kept one by one: whoever sees all from lowest to highest sees them.
    struct Range {
        Xid lowest = UINT64_MAX, highest = 0;
        [[nodiscard]] bool empty() const { return highest == 0; }
        [[nodiscard]] bool seen_by(const PgSnapshot& snapshot) const;
        void add(Xid xid);
        void add(const Range& other);
    };
    struct State {
        std::vector<Xid> ring;  // newest last
        Xid highest = 0;        // of ring and lost
        Range lost;             // left the ring before a heartbeat saw them
        Floor floor;            // sees what left the ring otherwise; nothing: the common floor does
        std::uint64_t generation = 0;
        const Tag* tag = nullptr;
        State *older = nullptr, *newer = nullptr;  // in the order of their last invalidation
    };
    [[nodiscard]] static bool holds(const State& state, const PgSnapshot& snapshot);
    void add(State& state, Xid xid);
    void fold(State& state);
    State& touch(const Tag& tag);
    void make_room();
    void fold_old_generation();
    void forget_oldest();
    void link_newest(State& state);
    void unlink(State& state);
    void erase(State& state);

    std::size_t tags_max_, ring_max_, pending_max_;
    bool fenced_ = false;
    Floor floor_, latest_;
    Floor generation_floor_;  // the first heartbeat after the present generation of tags began; nothing until it comes
    Range lost_;              // of tags that had to go before a heartbeat saw their xids
    std::uint64_t generation_ = 1;
    std::size_t young_ = 0;  // tags of the present generation
    State *oldest_ = nullptr, *newest_ = nullptr;
    std::unordered_map<Tag, State> states_;
    std::vector<State*> indebted_;  // those with `lost`
};

// For how long a replica may rely on what it has heard. Whatever committed before `began` has been heard once a beat that
// began then came back, and once a gap ended with a snapshot taken then. `limit` later nothing proves that any more, so nothing
// that is served as fresh lags behind the database by more than `limit`: heartbeat interval plus lag limit.
class Trust {
public:
    explicit Trust(Duration limit) : limit_(limit) {}
    void prove(TimePoint began) { until_ = std::max(until_, began + limit_); }
    void lose() { until_ = TimePoint::min(); }
    [[nodiscard]] bool holds(TimePoint now) const { return now < until_; }

private:
    Duration limit_;
    TimePoint until_ = TimePoint::min();
};

}  // namespace millrace::fence
