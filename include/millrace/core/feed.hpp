// How what one replica decodes reaches all: bulletins with terms and numbers, what the announcer keeps until nobody needs it,
// and how a follower knows that it missed nothing. No I/O and no clock. docs/decisions/0018 has the argument.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/fence.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::feed {

using fence::PgSnapshot;
using fence::Xid;
using replication::Lsn;

// A life of a database: after a failover places in the log and xids are used again.
struct Life {
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
    bool operator==(const Life&) const = default;
};

// Proof that the stream has come to where `snapshot` was taken: all that it sees has been announced.
struct Beat {
    PgSnapshot snapshot;
    Duration lag{};  // from taking the snapshot until it came out of the stream
    // Whoever hears nothing but this and what follows misses nothing that the snapshot does not see: what was announced before
    // and is not seen by it is said again in `unseen`.
    bool joinable = false;
    std::vector<std::string> unseen;  // payloads
};

// One message on the channel.
struct Bulletin {
    std::uint64_t term = 0;      // of the announcer; a later one's is higher
    std::uint64_t sequence = 0;  // within the term, from 0 on
    Life life;
    Lsn position = 0;                   // all that committed before it has been announced with this
    std::optional<Lsn> from;            // the first of a term: all that commits from here on will be announced in it
    std::vector<std::string> payloads;  // of invalidations, as fence::parse_invalidation reads them
    std::optional<Beat> beat;
};
inline constexpr std::size_t bulletin_bytes_max = 4 * 1024 * 1024;
[[nodiscard]] std::string encode(const Bulletin& bulletin);
[[nodiscard]] std::optional<Bulletin> decode(std::string_view text);  // nothing: it is not one

// "xid word word …", as many as a payload of at most 8,000 bytes needs each.
[[nodiscard]] std::vector<std::string> payloads_of(Xid xid, const std::vector<std::string>& words);

// --- The announcer's side ------------------------------------------------------------------------------------------------

// A transaction may be decoded before any snapshot sees it: its record is in the log before it counts as ended, for as long as
// a synchronous standby takes to answer. So what was announced is kept until a snapshot has seen it, for those who join, and
// the slot is confirmed only up to there, for whoever announces next.
class Announcer {
public:
    // All that commits from `from` on will come; all that committed before it was seen by a snapshot.
    Announcer(std::uint64_t term, Life life, Lsn from, std::size_t pending_max = 50'000);

    [[nodiscard]] Bulletin opening();
    // Gathered for the next bulletin.
    void add(const replication::Transaction& transaction, Xid xid);
    void beat(const PgSnapshot& snapshot, Duration lag);  // it has come out of the stream
    void reached(Lsn position);
    // Snapshots that were taken, whether or not their beat has come back yet: what they see need not be kept for room's sake.
    void seen(const PgSnapshot& snapshot);
    [[nodiscard]] bool has_news() const { return news_; }
    [[nodiscard]] Bulletin take();

    // What the slot may be told once the bulletins were accepted.
    [[nodiscard]] Lsn confirmed() const;

private:
    struct Pending {
        Lsn commit = 0;
        Xid xid = 0;
        std::string payload;
    };
    void forget(const PgSnapshot& seen);
    void make_room();
    [[nodiscard]] bool joinable(const PgSnapshot& snapshot) const;
    [[nodiscard]] std::vector<std::string> unseen_by(const PgSnapshot& snapshot) const;

    std::uint64_t term_, sequence_ = 0;
    Life life_;
    Lsn from_, position_;
    std::size_t pending_max_;
    std::deque<Pending> pending_;  // announced, or about to be, and not seen yet; in the order of their commits
    PgSnapshot newest_;            // that was taken
    PgSnapshot forgotten_;         // what it sees may have been dropped from pending_
    Xid dropped_ = 0;              // the highest xid that had to go unseen; 0: none
    Lsn dropped_from_ = 0;         // the first commit of those
    bool news_ = false;
    Bulletin next_;
};

// --- The follower's side -------------------------------------------------------------------------------------------------

// What a bulletin means to a follower, in the order in which it is to be acted upon.
struct Heard {
    std::optional<std::string> gap;     // something was or may have been missed
    std::vector<std::string> payloads;  // invalidations
    std::optional<PgSnapshot> joined;   // the gap ends: what this does not see was or will be heard
    std::optional<PgSnapshot> beat;     // all that it sees has been heard
    Duration lag{};                     // of either, as the announcer measured it
};

class Follower {
public:
    void subscribed();  // to a channel that delivers in order; what comes now is whole
    // Why what follows may miss something; nothing when that was known already.
    [[nodiscard]] std::optional<std::string> lost(std::string_view reason);
    [[nodiscard]] Heard hear(std::string_view text, TimePoint now);
    // The same as lost(), when nothing has been proved for too long.
    [[nodiscard]] std::optional<std::string> check(TimePoint now, Duration silence_max);

    [[nodiscard]] bool joined() const { return joined_; }
    [[nodiscard]] const Life& life() const { return life_; }
    [[nodiscard]] std::uint64_t highest_term() const { return highest_term_; }  // ever heard of

private:
    [[nodiscard]] bool continues(const Bulletin& bulletin) const;
    void take_beat(Beat& beat, Heard& heard);

    bool subscribed_ = false, joined_ = false;
    bool term_known_ = false;  // on this subscription
    std::uint64_t term_ = 0, expected_ = 0, highest_term_ = 0;
    Life life_;
    Lsn position_ = 0;
    TimePoint proved_{};
};

// --- Two sources at once -------------------------------------------------------------------------------------------------

// Where writes are decoded, purges and changes of the schema still come by NOTIFY: a cache may be trusted only while both
// sources live, from a snapshot on from which both miss nothing, and a beat counts once both have delivered all that it sees.
// Lateness is measured with this process's clock alone, by the age of the newest snapshot of its own that both have caught up
// with: so it holds whatever the clocks of others say and wherever a message waited.
class Pair {
public:
    enum class Side : std::uint8_t { notify, decoded };  // notify's snapshots are taken by this process
    struct Outcome {
        std::optional<PgSnapshot> listening, beat;
        Duration lag{};
    };

    explicit Pair(Duration age_max) : age_max_(age_max) {}

    [[nodiscard]] Outcome listening(Side side, const PgSnapshot& since);
    [[nodiscard]] Outcome beat(Side side, const PgSnapshot& snapshot, Duration lag, TimePoint now);
    void lost(Side side);

private:
    struct State {
        std::optional<PgSnapshot> since, beat;
        Duration lag{};
    };
    struct Own {
        TimePoint taken;
        PgSnapshot snapshot;
    };
    [[nodiscard]] State& of(Side side) { return side == Side::notify ? notify_ : decoded_; }
    [[nodiscard]] const PgSnapshot* since() const;
    [[nodiscard]] Duration age(const PgSnapshot& caught_up, TimePoint now);

    Duration age_max_;
    State notify_, decoded_;
    std::deque<Own> own_;  // oldest first
};

}  // namespace millrace::feed
