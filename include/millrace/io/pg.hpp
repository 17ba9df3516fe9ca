// Postgres: pipelined lanes for requests (libpq), a listener for notifications, and blocking work for the control plane
// (libpqxx).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/catalog.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/congestion.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/feed.hpp"
#include "millrace/core/replication.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pg {

namespace asio = boost::asio;

struct Timing {
    Duration waited{};     // for a lane
    Duration took{};       // from sending to the last result
    std::size_t done = 0;  // statements without an error: the place of the one that failed
};

struct Request;

// What is left of a read's rows, as they come. They are read from Postgres as fast as they are taken: a slow reader makes
// Postgres wait, until the deadline ends it. Its end, or its destruction before that, frees the lane.
class RowStream;

// The results of a read: whole, or as far as they were there when the rows became too many to be kept.
struct Opened {
    sql::Results results;
    std::unique_ptr<RowStream> rest;  // nothing: that was all
};

// Whose script it is, and what it may take.
struct Call {
    events::LaneClass lane = events::LaneClass::fast;
    bool authenticated = false;
    Deadline deadline{};
    congestion::Priority priority = congestion::Priority::normal;
    std::uint64_t caller = 0;     // a hash: callers share a queue by turns
    std::uint64_t route = 0;      // a hash
    std::uint64_t route_max = 0;  // calls of that route that may be underway at once; 0: any number
};

// The lanes of one worker: fast ones are pipelined and shared, slow ones serve one request at a time and can be cancelled.
// One thread. Connections are made in the background with backoff; a half-used connection is closed, never reused.
class Pool {
public:
    Pool(asio::io_context& context, const config::DatabaseSettings& settings, events::Observer& observer,
         const config::LimitSettings& limits = {});
    ~Pool();

    void start();

    // Runs a script as one implicit transaction; with a closing, as BEGIN … COMMIT on a slow lane, ROLLBACK when it fails.
    // Errors: database_error with Postgres' own message, lane_timeout (503, Retry-After) when no lane is free in time,
    // overloaded (503, Retry-After, at once) when too many wait or for too long (congestion::FairQueue), deadline_passed (504)
    // when the answer is late (a slow statement is cancelled), database_unavailable (503, Retry-After) when there is no
    // connection or it broke underway, circuit_open (503, Retry-After, at once) while Postgres is silent. A read that was
    // underway on a connection that broke is sent once more on another, under the retry budget; a write only when it failed
    // because its server takes none (25006). Then all lanes connect anew, to wherever the URL leads now.
    [[nodiscard]] asio::awaitable<Result<sql::Results>> run(sql::BoundScript script, const Call& call,
                                                            const sql::Closing* closing, Timing& timing);

    // The same for a read, without keeping more than about `kept_bytes_max` of its main statement's rows. What it would not
    // keep comes through `rest`, and with it there are no results of the statements after main; the script is the caller's for
    // as long as that lives. On a fast lane a result that goes far beyond any measure is given up and read again on a slow one.
    [[nodiscard]] asio::awaitable<Result<Opened>> open(sql::BoundScript script, const Call& call, std::size_t kept_bytes_max,
                                                       Timing& timing);

    // Takes the results that have come, before the loop says so.
    void catch_up();

    [[nodiscard]] bool available() const;   // at least one lane is connected
    [[nodiscard]] bool left_alone() const;  // what came now would be refused: Postgres has not answered several times in a row
    // Nothing new is taken, what is underway may end (for 10 s at most), then all is closed. To be awaited before the loop
    // ends.
    [[nodiscard]] asio::awaitable<void> stop();

    struct State;

private:
    std::shared_ptr<State> state_;
};

// The URL for each of its hosts alone; just itself when it names one, or cannot be read.
[[nodiscard]] std::vector<std::string> each_host(const std::string& url);

class RowStream {
public:
    RowStream(std::shared_ptr<Pool::State> pool, std::shared_ptr<Request> request);
    ~RowStream();
    RowStream(const RowStream&) = delete;
    RowStream& operator=(const RowStream&) = delete;

    // The next rows; none: that was all. The errors are those of run().
    [[nodiscard]] asio::awaitable<Result<sql::Rows>> next();
    [[nodiscard]] Duration took() const;  // from sending to the last row so far
    void extend(Deadline deadline);       // of what is still to come

private:
    std::shared_ptr<Pool::State> pool_;
    std::shared_ptr<Request> request_;
};

// What a source of invalidations tells, whichever it is: triggers that NOTIFY, or decoding. All are called on the control
// thread. After listening(S0), each transaction that S0 does not see is notified; heartbeat(S) means that each that S sees has
// been; after lost() neither holds until the next listening().
struct Notifications {
    std::function<void(std::string_view payload, std::string_view channel)> notified;
    std::function<void(std::string_view snapshot)> listening;  // (again): a gap ends
    // The source has come as far as this. `asked`: whatever had committed by then is seen by the snapshot.
    std::function<void(std::string_view snapshot, TimePoint asked)> heartbeat;
    std::function<void(std::string_view reason)> lost;
};

// The first source: hears what triggers, purges and whoever changed the schema NOTIFY.
// LISTENs on channels with one connection, reconnects with backoff, and beats: each period it NOTIFYs itself with a fresh
// pg_current_snapshot() and measures how long that takes to come back.
class Listener {
public:
    Listener(asio::io_context& context, std::string url, std::vector<std::string> channels, Duration beat,
             Notifications callbacks);
    ~Listener();
    void start();
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

struct SlotSettings {
    std::string url;   // of a role with REPLICATION
    std::string slot;  // is read with the publication publication_name
    Duration beat{};
    bool may_evict = false;  // whoever else reads the slot is cut off: for those who know that it is their turn
};
struct SlotStart {
    feed::Life life;
    replication::Lsn from = 0;  // all that commits from here on will come
};
struct Decoded {
    std::vector<std::pair<replication::Transaction, fence::Xid>> transactions;  // that touched something, as they committed
    replication::Lsn position = 0;                                              // how far the log has been read
    fence::PgSnapshot newest;                                                   // that was taken, not yet proved
    std::optional<std::pair<fence::PgSnapshot, Duration>> beat;                 // the last one that came out, with its lag
    std::uint64_t lag_bytes = 0;                                                // of the slot behind the log, when last seen
};

// The second source, as one process reads it: the transactions of a logical replication slot, and beats through it. Each beat
// takes a snapshot S and then writes a message into the log. A transaction that is visible in S had its commit in the log
// before S was taken, so before the message; and the log is decoded in its order. When the message comes out, all that S sees
// has come. One thread; after an error it is of no use any more.
class SlotReader {
public:
    SlotReader(asio::io_context& context, SlotSettings settings);
    ~SlotReader();
    // Makes the slot when there is none, or when it was lost. Errors' details say what is wrong; they are for the log.
    [[nodiscard]] asio::awaitable<Result<SlotStart>> open();
    // What has come, at least something.
    [[nodiscard]] asio::awaitable<Result<Decoded>> next();
    // To be run beside next(): why it ended.
    [[nodiscard]] asio::awaitable<std::string> beat();
    [[nodiscard]] asio::awaitable<Result<void>> confirm(replication::Lsn position);  // need not be decoded again

    struct State;

private:
    std::shared_ptr<State> state_;
};

inline constexpr std::string_view publication_name = "millrace";

// Blocking: makes the slot unless there is a good one, or drops it.
[[nodiscard]] Result<void> ensure_slot(const std::string& url, const std::string& slot);
[[nodiscard]] Result<void> drop_slot(const std::string& url, const std::string& slot);
// The publication of the catalog's tables, as far as they can be published without harm. Idempotent.
[[nodiscard]] std::string publication_sql(const catalog::Catalog& catalog);
[[nodiscard]] std::string publication_removal_sql();

enum class WatchedBy : std::uint8_t { triggers, publication };  // what says that a table changed

// Blocking, for the control plane. `anonymous_role` empty: the login role. The catalog holds the relations and functions of the
// schemas, and the relations behind them in other schemas. Functions of `extra_schemas` count as computed columns and
// relationships and as media handlers, but nothing there can be called or read. `relations`, "schema.name", are there wherever
// they are. Errors: database_unavailable, or catalog_unavailable with what Postgres said; no password is in them.
[[nodiscard]] Result<std::shared_ptr<const catalog::Catalog>> introspect(const std::string& url,
                                                                         const std::vector<std::string>& schemas,
                                                                         const std::string& anonymous_role,
                                                                         const std::vector<std::string>& extra_schemas = {},
                                                                         const std::vector<std::string>& relations = {},
                                                                         WatchedBy watched_by = WatchedBy::triggers);

// Catalog::state as it is now; cheap. The same errors.
[[nodiscard]] Result<catalog::State> read_state(const std::string& url);

// Settings whose names begin with `prefix` that the database keeps for the login role, without the prefix: by ALTER ROLE … SET,
// those of this database first, else as the function `pre_config` ("schema.name", may be empty) sets them.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> read_login_settings(const std::string& url,
                                                                                           const std::string& prefix,
                                                                                           const std::string& pre_config);

// The invalidation triggers: schema millrace with its functions, triggers on every table of the catalog, and event triggers
// where the role may make them: those tell of DDL too, and watch what is made later in `schemas`. Idempotent: what is there is
// left alone and waits for no lock. The payload is what fence::parse_invalidation reads; tags are catalog::tag_of().
[[nodiscard]] std::string migration_sql(const catalog::Catalog& catalog, const std::vector<std::string>& schemas);
[[nodiscard]] std::string migration_removal_sql();  // whichever layout was there
// The table of answers that are kept for requests with an Idempotency-Key, and the functions that lead to it: for the owner,
// and for `login_role` unless it is empty. Idempotent. It goes with the last of the two sources.
[[nodiscard]] std::string idempotency_sql(const std::string& login_role = {});
[[nodiscard]] std::string idempotency_removal_sql();
[[nodiscard]] Result<void> execute(const std::string& url, const std::string& sql);  // one transaction; database_error

// Invalidates tags by a transaction of its own, whose xid it returns, through millrace.purge(). One transaction;
// database_error.
[[nodiscard]] Result<std::string> purge(const std::string& url, const std::vector<std::string>& tags);

// API keys as Postgres keeps them, in millrace_auth.api_keys, which only its owner may read. Times as text, empty for none.
struct KeptApiKey {
    std::string id, name, role, scopes, plan;  // scopes with spaces between them
    std::string created, expires, revoked;
};
// Blocking. Makes the table where it is not there, and lets `login_role` read it unless that is empty: then the server logs in
// as who makes the key. database_error: also when the login role may not act as the key's role.
[[nodiscard]] Result<void> add_api_key(const std::string& url, const KeptApiKey& key, const std::string& hash,
                                       const std::string& login_role = {});
[[nodiscard]] Result<std::vector<KeptApiKey>> list_api_keys(const std::string& url);
[[nodiscard]] Result<bool> revoke_api_key(const std::string& url, const std::string& id);  // false: there is none
inline constexpr std::string_view api_keys_tag = "millrace_auth.api_keys";                 // that an invalidation brings

inline constexpr std::string_view invalidation_channel = "millrace_invalidation";
inline constexpr std::string_view decoding_channel = "decoding";  // of Notifications only: what did not come by NOTIFY
inline constexpr std::string_view control_channel = "millrace";   // payload "reload schema" or "reload config"
inline constexpr std::string_view beat_channel = "millrace_beat";

}  // namespace millrace::pg
