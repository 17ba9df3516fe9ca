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
    bool operator==(const PgSnapshot&) const = default;
};
[[nodiscard]] PgSnapshot join(const PgSnapshot& a, const PgSnapshot& b);  // sees what either sees

// What an entry depends on, by name:
//   t        something in the table t ("schema.table", catalog::tag_of): of entries that read it at large
//   t#b, t#* rows of t whose full primary key falls into bucket b, and rows of t whichever they are: both of entries that
//            read t by its full primary key
//   @v, @v/r answers of the version v, of its route r: so a purge is an invalidation like any other
//   *        everything: every entry depends on it, and none carries it
using Tag = std::string;
inline constexpr std::string_view everything = "*";

// t#b of a key, b being the first 16 bits of the SHA-256 of its columns' canonical texts, joined by commas, as four hex digits;
// the triggers compute the same with Postgres' own sha256(). Two keys that share a bucket are only invalidated together, so
// nothing depends on what is joined how. 65,536 buckets: a table with W writes a second loses an entry to a write elsewhere
// once in 65,536 / W seconds, which is about what a fence with 100,000 tags keeps apart (make_room).
[[nodiscard]] Tag key_tag(std::string_view table, std::span<const std::string> key);
[[nodiscard]] Tag whole_tag(std::string_view table);  // t#*

// A transaction changed what these tags stand for.
struct Invalidation {
    std::vector<Tag> tags;
    Xid xid = 0;
    std::vector<Tag> purged{};  // of them: may not be served from before it even where stale answers are allowed
};
// Payload of the triggers' NOTIFY and of purges: "xid tag tag …". "t#b" stands for {t, t#b}, since who read the table at large
// has read that row too; "t" for {t, t#*}: any row may have changed. So a write by key leaves the entries of other keys alone,
// and validity stays a matter of sets. "!tag" is "tag" and a hard purge of the same. Tags are taken as they stand, escapes and
// all, as the planner writes them too. Sorted. Nothing when it is malformed: then something was missed, and a gap must follow.
[[nodiscard]] std::optional<Invalidation> parse_invalidation(std::string_view payload);

// What a replica knows of its tags: the last invalidating xids of each, and floors below which everything is seen.
// Bounded: at most `tags_max` tags, then the oldest are folded into the floor. Not thread-safe: one per worker.
//
// What it knows is complete: an entry that it holds valid sees every transaction that touched its tags and that either was
// heard of or is seen by latest(). Postgres queues a transaction's notifications before others see the transaction, and
// delivers them in one order, so whoever receives a heartbeat has received what the heartbeat's snapshot sees.
class Fence {
public:
    // A tag keeps `ring_max` xids, and up to `pending_max` more that no heartbeat has seen yet. Hard purges are kept apart for
    // `purges_max` tags; beyond that whoever was read before any of them counts as purged.
    explicit Fence(std::size_t tags_max = 100'000, std::size_t ring_max = 8, std::size_t pending_max = 64,
                   std::size_t purges_max = 1'000);
    Fence(const Fence&) = delete;
    Fence& operator=(const Fence&) = delete;

    void invalidate(const Invalidation& invalidation);  // the same one again changes nothing
    void heartbeat(const PgSnapshot& snapshot);  // may be older than the invalidations applied so far: each xid is checked
    void gap(const PgSnapshot& since);           // something may have been missed before `since`
    void unfence();                              // until the next gap()
    void lose();                                 // the same, for nothing is heard any more until somebody listens anew
    // Another cluster or timeline: its xids mean nothing here; unfenced. What came while unfenced and since lose() stays, for
    // it may be of the one that begins now: that is listened to before it is known which one it is.
    void forget();

    [[nodiscard]] bool fenced() const { return fenced_; }
    // The newest snapshot known: a conservative stand-in for a read that brings none of its own and started after it.
    [[nodiscard]] const PgSnapshot& latest() const { return *latest_; }
    // The rule: the snapshot contains the floor, and sees every xid that invalidated one of the tags, or everything.
    [[nodiscard]] bool valid(const PgSnapshot& snapshot, std::span<const Tag> tags) const;
    // A hard purge came after the snapshot, or may have come while nobody listened: not to be served, however stale is allowed.
    [[nodiscard]] bool purged(const PgSnapshot& snapshot, std::span<const Tag> tags) const;
    // Another one whenever what was valid may no longer be; never 0. So what was valid at a version is valid while it stands.
    // An invalidation, gap(), unfence(), forget() and adopt_states() change it, unless they changed nothing. A heartbeat
    // changes it only where it settles xids that were too many to keep one by one: there it puts a floor in place of their
    // range, and an entry may see the range but not contain the floor. Else it only brings a snapshot to make floors of later.
    [[nodiscard]] std::uint64_t version() const { return version_; }
    [[nodiscard]] std::size_t tags() const { return states_.size(); }

    // What this fence knows, for another replica that began to listen only now: its own floor refuses all that was read before,
    // adopting a peer's states lowers it to the peer's. Empty while unfenced, or when it would be too large. `scope` says what
    // the xids and tags are of (deployment, epoch): published in another, states are refused, as is all that was not written by
    // encode_states().
    [[nodiscard]] std::string encode_states(std::string_view scope) const;
    // Safe when the peer's latest() contains this floor, else it does nothing and says false, as when there is nothing to gain.
    // For: this floor F stands for every xid that F sees; the rest that must be known is in this fence's own states, which stay
    // in force. The peer's knowledge is complete up to its latest() L, so if L contains F, the peer's floor and states say of
    // every xid that F sees which tags it touched. Both together are as complete as before, and the floor is the peer's. When
    // the peer published does not matter, nor what befell it since: what is said of L stays true for the life of the epoch.
    bool adopt_states(std::string_view bytes, std::string_view scope);

private:
    using Floor = std::shared_ptr<const PgSnapshot>;
    struct Published;
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
    // Bounded: beyond `most` tags all are one.
    struct Purges {
        std::unordered_map<Tag, Range> ranges;
        Range rest;
        void add(const Tag& tag, const Range& range, std::size_t most);
        [[nodiscard]] bool hit(const PgSnapshot& snapshot, const Tag& tag) const;
    };
    [[nodiscard]] static bool holds(const State& state, const PgSnapshot& snapshot);
    bool apply(const Invalidation& invalidation);  // whether that changed something
    void set_aside(const Invalidation& invalidation);
    bool add(State& state, Xid xid);  // whether that is new
    void fold(State& state);
    void owe(State& state, const Range& range);
    static void raise(Floor& floor, const Floor& to);
    void adopt(const Published& theirs);
    void merge(const Tag& tag, const State& theirs);
    State& touch(const Tag& tag);
    void make_room();
    void fold_old_generation();
    void forget_oldest();
    void link_newest(State& state);
    void link_oldest(State& state);
    void unlink(State& state);
    void erase(State& state);

    std::size_t tags_max_, ring_max_, pending_max_, purges_max_;
    bool fenced_ = false;
    std::uint64_t version_ = 1;
    Floor floor_, latest_;
    Floor heard_;       // all hard purges that came after it are known; nothing: none are
    State everything_;  // of the tag "*"
    Xid highest_ = 0;   // of all that was recorded: who sees all up to it, whatever its tags, sees what there is to see
    Purges purges_;
    std::vector<Invalidation> unplaced_;  // came while unfenced, since the last gap
    Range unplaced_rest_;                 // of those that were too many
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
// that is served as fresh lags behind the database by more than `limit`.
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
