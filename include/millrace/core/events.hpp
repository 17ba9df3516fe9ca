// Every event that a metric, a log line or a trace is made of, as one variant; whoever cares implements Observer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "millrace/core/base.hpp"
#include "millrace/core/congestion.hpp"
#include "millrace/core/message.hpp"

namespace millrace::events {

// Which tier answered, and how: `collapsed` waited for another request's read, `stale` was given although it no longer held.
enum class CacheResult : std::uint8_t { none, hit_memory, hit_redis, collapsed, miss, stale_memory, stale_redis, bypass };
// Why it was not a plain hit.
enum class CacheReason : std::uint8_t {
    none,
    absent,        // of a miss
    expired,       // its time is over
    invalid,       // the database said so
    token,         // the caller has seen more (Consistency-Token)
    unfenced,      // of a bypass: nobody says what changed
    unkept,        // what proved not to be kept a moment ago
    request,       // the caller wants it so (Cache-Control)
    revalidating,  // of what is stale: it is read anew
    error,         // the database could not answer
};
enum class LaneClass : std::uint8_t { fast, slow };
enum class Backend : std::uint8_t { postgres, redis, standby };
// Of a read that a standby was asked for: its answer was given (used), or the primary was asked because the standby was behind
// what is known here, is no standby of that primary (foreign), gave an error (failed) or is not there (down).
enum class StandbyResult : std::uint8_t { used, behind, foreign, failed, down };

// One answered request. Views live during the call only. `route` is the resource's name or one of "admin", "none": bounded.
struct RequestFinished {
    std::string_view request_id, version, route, path, peer, role;
    std::string_view subject;  // who it was, as far as that is known: of a token its sub, of an API key its id
    message::Method method = message::Method::get;
    int status = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    CacheResult cache = CacheResult::none;
    CacheReason cache_reason = CacheReason::none;
    Duration total{}, plan{}, lane_wait{}, database{}, redis{}, render{};
    std::string_view error_code;
};
struct ConnectionOpened {};
struct ConnectionClosed {};
struct RequestRefused {  // before it became a request: framing, limits, timeouts
    std::string_view code;
    int status = 0;
};
struct LaneWaited {
    LaneClass lane = LaneClass::fast;
    Duration waited{};
};
struct StatementFinished {
    LaneClass lane = LaneClass::fast;
    Duration took{};
    bool failed = false;
};
struct LaneGauge {  // the present state, sent when it changes
    LaneClass lane = LaneClass::fast;
    int connected = 0, busy = 0, queued = 0;
    int limit = 0;  // statements that may be underway at once
    bool operator==(const LaneGauge&) const = default;
};
struct LaneRefused {  // somebody would have waited for too long
    LaneClass lane = LaneClass::fast;
    congestion::Priority priority = congestion::Priority::normal;
};
struct BreakerChanged {  // open: the backend did not answer several times in a row, and is asked nothing for a moment
    Backend backend = Backend::postgres;
    bool open = false;
};
struct BackendUp {
    Backend backend = Backend::postgres;
    bool up = false;
    std::string_view reason;
};
struct StandbyRead {
    StandbyResult result = StandbyResult::used;
};
struct CacheSize {
    std::uint64_t entries = 0, bytes = 0;
};
struct CacheEvicted {
    std::uint64_t entries = 0;
};
struct CacheFilled {
    std::uint64_t bytes = 0;
};
enum class LeaseOutcome : std::uint8_t { got, waited, timed_out };
struct CacheLease {  // the right to read an answer for all replicas
    LeaseOutcome outcome = LeaseOutcome::got;
    Duration waited{};
};
struct CacheWaited {  // for another request of this process that reads the same answer
    Duration waited{};
    bool served = false;
};
struct CacheUnkept {};  // an answer proved not to be kept
struct CacheRefreshed {
    bool early = false;  // before its time ended; else because it was given stale
    bool ok = false;
};
struct CachePurged {
    std::string_view scope;  // "tags", "route", "version", "all"
    bool hard = false;
};
enum class CheckOutcome : std::uint8_t { same, superseded, inconsistent, failed };
struct CacheChecked {  // a hit was read again
    CheckOutcome outcome = CheckOutcome::same;
    std::uint64_t key_hash = 0;  // of what is inconsistent, and its tags
    std::string_view tags;
};
struct UnfencedFor {  // this thread's cache could not be used for so long
    Duration time{};
};
struct RedisCall {
    bool ok = false;
    Duration took{};
};
enum class ApiKeyOutcome : std::uint8_t { found, absent, failed, refused };
struct ApiKeyLookup {  // one that was not remembered; refused: its address has brought too many bad ones
    ApiKeyOutcome outcome = ApiKeyOutcome::found;
};
struct LimitAsked {  // Redis, for tokens of a limit
    bool ok = false;
};
struct LimitRefused {
    bool quota = false;
};
// What came of asking one address of a service. Full: no connection to it became free in time, so it was not asked.
enum class ServiceResult : std::uint8_t { ok, server_error, connect, lost, timed_out, garbage, full };
struct ServiceAsked {  // `route` is the resource's name, as of requests
    std::string_view version, route;
    ServiceResult result = ServiceResult::ok;
    bool again = false;  // another address of it failed before
    Duration took{};     // until the head of its answer
};
struct ServiceChanged {  // by how much numbers of a service have become more on this thread
    std::string_view version, route;
    int open = 0, used = 0, waiting = 0;  // connections, those that a request has, requests that wait for one
    int addresses = 0, up = 0;            // up: not left alone, by their checks or by what became of requests
};
struct ServiceUnreachable {  // an address, for a reason that it was not unreachable for before
    std::string_view version, route, address, reason;
};
enum class IdempotencyResult : std::uint8_t { stored, replayed, conflict, mismatch };
struct IdempotencyKeyUsed {
    IdempotencyResult result = IdempotencyResult::stored;
};
struct BatchFinished {  // that could be planned
    std::uint64_t operations = 0;
    bool committed = false;
};
struct InvalidationSeen {
    std::string_view source;  // "trigger", "decoding", "own-write", "gap", "poll"
    std::uint64_t tags = 0;
};
struct InvalidationLag {
    Duration lag{};
};
struct AnnouncerChanged {  // of this replica, where invalidations are decoded
    bool announcing = false;
    std::string_view reason;
};
struct SlotLag {  // of the slot that this replica reads; nothing: it reads none
    std::optional<std::uint64_t> bytes;
};
struct FenceChanged {
    bool fenced = false;
    std::string_view reason;
};
struct Reloaded {
    std::string_view what;  // "catalog" or "config"
    bool ok = false;
    std::string_view detail;
};
struct Lifecycle {
    std::string_view phase;  // "starting", "ready", "draining", "stopped"
    std::string_view detail;
};
struct Fallen {  // an exception that reached a coroutine's root: a bug, counted and logged
    std::string_view where, what;
};

using Event =
    std::variant<RequestFinished, ConnectionOpened, ConnectionClosed, RequestRefused, LaneWaited, StatementFinished, LaneGauge,
                 LaneRefused, BackendUp, BreakerChanged, StandbyRead, CacheSize, CacheEvicted, CacheFilled, CacheLease,
                 CacheWaited, CacheUnkept, CacheRefreshed, CachePurged, CacheChecked, UnfencedFor, RedisCall, ApiKeyLookup,
                 LimitAsked, LimitRefused, ServiceAsked, ServiceChanged, ServiceUnreachable, IdempotencyKeyUsed, BatchFinished,
                 InvalidationSeen, InvalidationLag, AnnouncerChanged, SlotLag, FenceChanged, Reloaded, Lifecycle, Fallen>;

// One per thread that emits: called on that thread only, so an implementation may keep unlocked state.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on(const Event& event) = 0;
};

}  // namespace millrace::events
