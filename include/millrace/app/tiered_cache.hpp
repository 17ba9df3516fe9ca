// One worker's view of the cache: its own memory first, then the shared Redis, both checked against the fence on every read.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::app {

namespace asio = boost::asio;

using EntryPointer = std::shared_ptr<const cache::Entry>;

struct Lookup {
    EntryPointer entry;  // nothing: ask the database
    events::CacheResult result = events::CacheResult::miss;
    Duration redis{};  // time spent on it
};

// One per worker and on its thread only. It must outlive the coroutines that use it, and the link must outlive it.
class TieredCache {
public:
    // `link` may be nothing: then there is only memory.
    TieredCache(asio::io_context& context, const config::CacheSettings& cache, const config::RedisSettings& redis,
                redis::Link* link, events::Observer& observer);
    ~TieredCache();

    // Valid by the fence and fresh; the hot path: no coroutine, no allocation.
    [[nodiscard]] EntryPointer find_memory(std::string_view key, WallTime now);
    // Within the Redis budget and the deadline. What is found is kept in memory. `bypass` while unfenced.
    [[nodiscard]] asio::awaitable<Lookup> find_shared(std::string key, Deadline deadline);
    // Memory and Redis; not what has been invalidated since it was read, nor what is too large.
    void put(std::string key, EntryPointer entry);

    struct Flight;
    struct Flights;
    // The right and duty to fill a key; whoever else wants it waits until this is filled or gone.
    class Ticket {
    public:
        Ticket() = default;
        Ticket(Ticket&&) = default;
        Ticket& operator=(Ticket&& other) noexcept;
        ~Ticket() { give(nullptr); }
        explicit operator bool() const { return flight_ != nullptr; }

    private:
        friend class TieredCache;
        Ticket(std::shared_ptr<Flights> flights, std::shared_ptr<Flight> flight);
        void give(const EntryPointer& entry);

        std::shared_ptr<Flights> flights_;
        std::shared_ptr<Flight> flight_;
    };
    struct Turn {
        Ticket ticket;  // fill it, with fill()
        Lookup found;   // what another filled meanwhile; neither: it failed or took too long, go on by yourself
    };
    // After find_memory: one caller per key gets the ticket and goes on to find_shared and the database.
    [[nodiscard]] asio::awaitable<Turn> take_turn(std::string key, Deadline deadline);
    // put(), and hands the entry to those who wait. `store` false: to them only (it came from find_shared).
    void fill(Ticket ticket, EntryPointer entry, bool store = true);
    [[nodiscard]] std::size_t fills_in_flight() const;

    // The cluster that the entries are of. Another one than before: nothing known holds, unfenced until the next gap().
    void set_epoch(std::string_view system_identifier, std::uint32_t timeline);
    [[nodiscard]] bool is_epoch(std::string_view system_identifier, std::uint32_t timeline) const;
    void invalidate(const fence::Invalidation& invalidation) { fence_.invalidate(invalidation); }
    void heartbeat(const fence::PgSnapshot& snapshot) { fence_.heartbeat(snapshot); }
    void gap(const fence::PgSnapshot& since) { fence_.gap(since); }
    void unfence() { fence_.unfence(); }
    void purge_all();  // of this memory; entries in Redis end by gap() or by their time

    [[nodiscard]] const fence::Fence& fence() const { return fence_; }
    [[nodiscard]] const cache::Store& store() const { return store_; }

private:
    [[nodiscard]] bool serves(const cache::Entry& entry, WallTime now) const;
    EntryPointer keep(std::string key, EntryPointer entry);
    void share(const std::string& key, const cache::Entry& entry);
    [[nodiscard]] std::string prefix_of(std::string_view system_identifier, std::uint32_t timeline) const;
    [[nodiscard]] bool shares() const { return link_ != nullptr && !epoch_.empty(); }

    config::CacheSettings settings_;
    Duration redis_budget_;
    redis::Link* link_;
    events::Observer& observer_;
    std::string prefix_, epoch_;
    fence::Fence fence_;
    cache::Store store_;
    std::shared_ptr<Flights> flights_;
};

}  // namespace millrace::app
