// Answers that are kept: their form in memory and in Redis, their keys, which of them stay, and what one may be used for.
// Whether one still holds is the fence's to say (millrace/core/fence.hpp). No I/O, no clock and no chance: they come as
// arguments.
#pragma once

#include <algorithm>
#include <array>
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
#include "millrace/core/coding.hpp"
#include "millrace/core/fence.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {

// The body of an entry in a content coding, ready to send.
struct Variant {
    coding::Coding coding = coding::Coding::identity;
    std::string header_lines;                 // the entry's, with Content-Encoding and a tag of its own
    std::shared_ptr<const std::string> body;  // nothing: in this coding it is no smaller
};

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
    std::vector<Variant> variants{};  // made of what is asked for again; each process makes its own, they are not in Redis

    [[nodiscard]] const Variant* variant(coding::Coding coding) const;
    [[nodiscard]] std::size_t bytes() const;  // what it costs in memory, overhead included
};

// The form in Redis: version byte, checksum, lengths, fields. decode gives nothing when anything is off. The checksum covers
// the key too: what was stored under another key is refused, wherever the mix-up happened.
[[nodiscard]] std::string encode(const Entry& entry, std::string_view key);
[[nodiscard]] std::optional<Entry> decode(std::string_view bytes, std::string_view key);

// What a route allows of an entry that holds no longer (RFC 5861): for how long after the last moment at which it was known to.
struct StaleWindows {
    Duration while_revalidate{}, if_error{};

    [[nodiscard]] Duration longest() const { return std::max(while_revalidate, if_error); }
};
// Is an answer of that status the kind of failure that if_error is for (§4)?
[[nodiscard]] constexpr bool lets_stale_answer(int status) {
    return status == 500 || status == 502 || status == 503 || status == 504;
}

// What is known of an entry at the moment it is asked for.
struct Standing {
    bool fenced = false;     // invalidations are heard, so that silence means something
    bool valid = false;      // by what the fence has heard; while unfenced that proves nothing
    bool purged = false;     // somebody wants it gone, not merely read anew
    bool sees_token = true;  // it holds what the caller is known to have seen
    WallTime known_valid{};  // the last moment at which this process knew it to hold
};

enum class Use : std::uint8_t {
    fresh,  // give it
    stale,  // give it, say so, and read it anew in the background
    spare,  // give it only when the database cannot answer
    none,
};
[[nodiscard]] Use judge(const Entry& entry, const Standing& standing, const StaleWindows& windows, WallTime now);

// Whether a fresh entry is read anew before it ends, so that nobody waits when it does: the likelier the nearer the end and the
// dearer the read, so that of many callers one begins (XFetch: Vattani, Chierichetti, Lowenstein, VLDB 2015). `chance` gives
// a number from (0, 1], and is asked only near the end.
[[nodiscard]] bool refresh_early_by(Duration left, Duration cost, double chance);
template <class Chance>
[[nodiscard]] bool refresh_early(const Entry& entry, Duration cost, WallTime now, Chance&& chance) {
    constexpr int costs_max = 16;  // -ln of a chance exceeds it once in nine million
    const Duration left = entry.stored + entry.fresh_for - now;
    return left < costs_max * cost && refresh_early_by(left, cost, chance());
}

// Of two answers to one question, the place of the one that was read later: decimal digits that compare as text, whatever the
// locale. First how many transactions its snapshot sees: a snapshot that contains another sees more of them, and those that one
// primary gives contain each other in the order in which they were taken. Then when it was stored, for a database that rests.
inline constexpr std::size_t order_bytes = 40;
[[nodiscard]] std::string order_of(const Entry& entry);

// A replica asks Redis for an entry and for the right to make it (a lease that one holds at a time). What next?
enum class Next : std::uint8_t { give, fill, ask_again, fill_anyway };
[[nodiscard]] Next after_asking(bool usable, bool leased, Duration waited, Duration wait_max);
// How long until it asks again: soon at first, for most reads are short.
[[nodiscard]] Duration pause_before(unsigned ask);

// Keys whose answers lately proved not to be kept (too large, an error): who asks for one need not wait for the others'. A
// fixed number of places; keys that share one forget each other, which costs a wait at most.
class Unkept {
public:
    void add(std::string_view key, WallTime until);
    void remove(std::string_view key);
    [[nodiscard]] bool holds(std::string_view key, WallTime now) const;

private:
    struct Place {
        std::uint64_t hash = 0;
        WallTime until{};
    };
    std::array<Place, 1024> places_{};
};

// Two answers to one question as sets of rows; `open`: a limit cut them, so that they may differ and both be right.
enum class RowsComparison : std::uint8_t { same, different, open };
[[nodiscard]] RowsComparison compare_rows(std::string_view kept, std::string_view read, std::optional<std::int64_t> limit);

// An entry in its place, with what was last found out about it.
struct Kept {
    std::shared_ptr<const Entry> entry;
    Duration cost{};            // of reading it anew; zero: unknown
    std::uint64_t version = 0;  // of the fence when it was last found valid; of no meaning before `known_valid` is set
    WallTime known_valid{};     // when that was
};

// Entries by key within a byte budget. Scan-resistant (S3-FIFO, Yang et al., SOSP 2023): a key must be asked for again to stay.
class Store {
public:
    explicit Store(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] std::shared_ptr<const Entry> find(std::string_view key);
    [[nodiscard]] Kept* look(std::string_view key);  // the same; until the next put, erase or clear
    // How many were evicted. One that is larger than the whole budget is not stored (and what was under its key goes).
    std::size_t put(std::string key, Kept kept);
    std::size_t put(std::string key, std::shared_ptr<const Entry> entry) { return put(std::move(key), Kept{std::move(entry)}); }
    void erase(std::string_view key);
    void clear();
    [[nodiscard]] std::size_t bytes() const { return small_.bytes + main_.bytes; }
    [[nodiscard]] std::size_t entries() const { return slots_.size(); }

private:
    struct Slot {
        std::string key;
        Kept kept;
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
    std::unordered_map<std::string_view, std::list<Slot>::iterator, text::Hash> slots_;  // views into the slots' keys
};

// Everything that tells two answers apart.
struct KeyParts {
    std::string_view version, schema, resource, query, media, range, role, claims;
    std::uint64_t deployment = 0;  // fingerprint of route table and catalog
};
// Each part with its length in front, so that no two sets of parts meet; a long key is replaced by its SHA-256.
[[nodiscard]] std::string make_key(const KeyParts& parts);

}  // namespace millrace::cache
