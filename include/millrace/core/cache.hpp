// Answers that are kept: their form in memory and in Redis, their keys, and which of them stay. Whether one still holds is the
// fence's to say (millrace/core/fence.hpp). No I/O and no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/fence.hpp"
#include "millrace/core/message.hpp"

namespace millrace::cache {

// A stored answer, ready to send. Immutable once made; shared by the requests that send it.
struct Entry {
    int status = 200;
    std::string header_lines;  // what the database's answer decides; Age, Cache-Status and the frame are added per request
    std::shared_ptr<const std::string> body;
    std::string etag;
    std::vector<fence::Tag> tags;  // sorted
    fence::PgSnapshot snapshot;
    WallTime stored{};
    Duration fresh_for{};

    [[nodiscard]] std::size_t bytes() const;  // what it costs in memory, overhead included
};

// The form in Redis: version byte, checksum, lengths, fields. decode gives nothing when anything is off. The checksum covers
// the key too: what was stored under another key is refused, wherever the mix-up happened.
[[nodiscard]] std::string encode(const Entry& entry, std::string_view key);
[[nodiscard]] std::optional<Entry> decode(std::string_view bytes, std::string_view key);

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
    std::string_view version, schema, resource, query, media, range, role, claims;
    std::uint64_t deployment = 0;  // fingerprint of route table and catalog
};
// Each part with its length in front, so that no two sets of parts meet; a long key is replaced by its SHA-256.
[[nodiscard]] std::string make_key(const KeyParts& parts);

}  // namespace millrace::cache
