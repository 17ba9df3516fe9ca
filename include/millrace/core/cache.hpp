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
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::cache {

using Xid = std::uint64_t;  // xid8: never wraps

// pg_snapshot: "xmin:xmax:xip,xip".
struct PgSnapshot {
    Xid xmin = 0, xmax = 0;
    std::vector<Xid> in_progress;  // sorted

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

// The form in Redis: version byte, checksum, lengths, fields. decode gives nothing when anything is off.
[[nodiscard]] std::string encode(const Entry& entry);
[[nodiscard]] std::optional<Entry> decode(std::string_view bytes);

struct Invalidation {
    std::vector<Tag> tags;
    Xid xid = 0;
};
// Payload of the triggers' NOTIFY: "xid tag tag …"; nothing when it is malformed.
[[nodiscard]] std::optional<Invalidation> parse_invalidation(std::string_view payload);

// What a replica knows of its tags: the last invalidating xids of each, and floors below which everything is seen.
// Bounded: at most `tags_max` tags, then the oldest are folded into the floor. Not thread-safe: one per worker.
class Fence {
public:
    explicit Fence(std::size_t tags_max = 100'000) : tags_max_(tags_max) {}

    void invalidate(const Invalidation& invalidation);
    void heartbeat(const PgSnapshot& snapshot);  // a snapshot taken after every invalidation applied so far was sent
    void gap(const PgSnapshot& since);           // something may have been missed before `since`
    void unfence() { fenced_ = false; }          // until the next gap()

    [[nodiscard]] bool fenced() const { return fenced_; }
    // The newest snapshot known: a conservative stand-in for a read that brings none of its own and started after it.
    [[nodiscard]] const PgSnapshot& latest() const { return latest_; }
    // The rule: the snapshot contains the floor, and sees every xid that invalidated one of the tags.
    [[nodiscard]] bool valid(const PgSnapshot& snapshot, std::span<const Tag> tags) const;
    [[nodiscard]] std::size_t tags() const { return states_.size(); }

private:
    struct State {
        std::vector<Xid> ring;  // the last xids, newest last
        Xid highest = 0;
    };
    void fold(State& state);

    std::size_t tags_max_;
    bool fenced_ = false;
    PgSnapshot floor_, latest_;
    std::unordered_map<Tag, State> states_;
};

// Entries by key within a byte budget. Scan-resistant (S3-FIFO, Yang et al., SOSP 2023): a key must be asked for again to stay.
class Store {
public:
    explicit Store(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    [[nodiscard]] std::shared_ptr<const Entry> find(std::string_view key);
    std::size_t put(std::string key, std::shared_ptr<const Entry> entry);  // how many were evicted
    void erase(std::string_view key);
    void clear();
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t entries() const { return slots_.size(); }

private:
    struct Slot {
        std::string key;
        std::shared_ptr<const Entry> entry;
        std::uint8_t uses = 0;
        bool main = false;
    };
    using Queue = std::list<Slot>;
    std::size_t evict();

    std::size_t bytes_max_, bytes_ = 0, small_bytes_ = 0;
    Queue small_, main_;
    std::deque<std::uint64_t> ghosts_;
    std::unordered_map<std::uint64_t, unsigned> ghost_count_;
    std::unordered_map<std::string_view, Queue::iterator> slots_;
};

// Everything that tells two answers apart.
struct KeyParts {
    std::string_view version, resource, query, media, range, role, claims;
    std::uint64_t deployment = 0;  // fingerprint of route table and catalog
};
[[nodiscard]] std::string make_key(const KeyParts& parts);

}  // namespace millrace::cache
