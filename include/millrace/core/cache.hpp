// The snapshot-fenced cache, pure: entries, tags, Postgres snapshots, and the rule that says whether an entry still holds.
// No I/O and no clock. docs/architecture.md, "The cache", has the rule; Postgres: "pg_snapshot", functions of 9.26.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::cache {

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

// A stored answer, ready to send. Immutable once made; shared by the requests that send it.
struct Entry {
    int status = 200;
    std::string header_lines;  // what the database's answer decides; Age, Cache-Status and the frame are added per request
    std::shared_ptr<const std::string> body;
    std::string etag;
    std::vector<Tag> tags;  // sorted
    PgSnapshot snapshot;
    WallTime stored{};
    Duration fresh_for{};

    [[nodiscard]] std::size_t bytes() const;  // what it costs in memory, overhead included
};

// The form in Redis: version byte, checksum, lengths, fields. decode gives nothing when anything is off. The checksum covers
// the key too: what was stored under another key is refused, wherever the mix-up happened.
[[nodiscard]] std::string encode(const Entry& entry, std::string_view key);
[[nodiscard]] std::optional<Entry> decode(std::string_view bytes, std::string_view key);

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

// Entries by key within a byte budget. Scan-resistant (S3-FIFO, Yang et al., SOSP 2023): a key must be asked for again to stay.
class Store {
public:
    explicit Store(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] std::shared_ptr<const Entry> find(std::string_view key);
    // How many were evicted. One that is larger than the whole budget is not stored (and what was under its key goes).
    std::size_t put(std::string key, std::shared_ptr<const Entry> entry);
    void erase(std::string_view key);
    void clear();
    [[nodiscard]] std::size_t bytes() const { return small_.bytes + main_.bytes; }
    [[nodiscard]] std::size_t entries() const { return slots_.size(); }

private:
    struct Slot {
        std::string key;
        std::shared_ptr<const Entry> entry;
        std::size_t bytes = 0;
        std::uint8_t uses = 0;
        bool main = false;
    };
    struct Queue {
        std::list<Slot> slots;  // newest first
        std::size_t bytes = 0;
    };
    // Hashes of keys that were lately evicted from the small queue, and when: they go to the main queue when they come back.
    struct Ghosts {
        std::deque<std::pair<std::uint64_t, std::uint64_t>> order;  // hash, turn
        std::unordered_map<std::uint64_t, std::uint64_t> turn_of;
        std::uint64_t turn = 0;
        void add(std::uint64_t hash, std::size_t most);
        bool take(std::uint64_t hash);
    };
    Queue& queue_of(const Slot& slot) { return slot.main ? main_ : small_; }
    std::size_t shrink();
    bool evict_small();  // one step; whether an entry went
    bool evict_main();
    void promote();
    void drop_last(Queue& queue);

    std::size_t bytes_max_;
    Queue small_, main_;
    Ghosts ghosts_;
    std::unordered_map<std::string_view, std::list<Slot>::iterator> slots_;  // views into the slots' keys
};

// Everything that tells two answers apart.
struct KeyParts {
    std::string_view version, resource, query, media, range, role, claims;
    std::uint64_t deployment = 0;  // fingerprint of route table and catalog
};
// Each part with its length in front, so that no two sets of parts meet; a long key is replaced by its SHA-256.
[[nodiscard]] std::string make_key(const KeyParts& parts);

}  // namespace millrace::cache
