// Every event that a metric, a log line or a trace is made of, as one variant; whoever cares implements Observer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::events {

enum class CacheResult : std::uint8_t { none, hit_memory, hit_redis, miss, stale, bypass, not_modified };
enum class LaneClass : std::uint8_t { fast, slow };
enum class Backend : std::uint8_t { postgres, redis };

// One answered request. Views live during the call only. `route` is the resource's name or one of "admin", "none": bounded.
struct RequestFinished {
    std::string_view request_id, version, route, path, peer, role;
    message::Method method = message::Method::get;
    int status = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    CacheResult cache = CacheResult::none;
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
};
struct BackendUp {
    Backend backend = Backend::postgres;
    bool up = false;
    std::string_view reason;
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
struct RedisCall {
    bool ok = false;
    Duration took{};
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

using Event = std::variant<RequestFinished, ConnectionOpened, ConnectionClosed, RequestRefused, LaneWaited, StatementFinished,
                           LaneGauge, BackendUp, CacheSize, CacheEvicted, CacheFilled, RedisCall, InvalidationSeen,
                           InvalidationLag, AnnouncerChanged, SlotLag, FenceChanged, Reloaded, Lifecycle, Fallen>;

// One per thread that emits: called on that thread only, so an implementation may keep unlocked state.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on(const Event& event) = 0;
};

}  // namespace millrace::events
