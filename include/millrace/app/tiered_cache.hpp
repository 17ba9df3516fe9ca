// The two tiers of one worker's cache: its own memory, then Redis; what it hands out holds by the fence and is fresh.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::app {

// Which life of the database an entry belongs to: after a failover xids are used again (docs/architecture.md, "The cache").
struct Epoch {
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
    bool operator==(const Epoch&) const = default;
};

// One thread.
class TieredCache {
public:
    using EntryPointer = std::shared_ptr<const cache::Entry>;

    // `link` may be nothing: then there is memory alone. It must outlive the cache.
    TieredCache(boost::asio::io_context& context, const config::CacheSettings& settings, const config::RedisSettings& redis,
                redis::Link* link, events::Observer& observer);

    // The hot path: nothing when there is no entry, or none that holds.
    [[nodiscard]] EntryPointer find_memory(std::string_view key, WallTime now);

    struct Shared {
        EntryPointer entry;
        Duration took{};  // zero when Redis was not asked
    };
    // Asks Redis, within its budget; what is found goes into memory too. Whatever is wrong with Redis is a miss.
    [[nodiscard]] boost::asio::awaitable<Shared> find_shared(std::string_view key, WallTime now, Deadline deadline);

    void put(const std::string& key, EntryPointer entry);

    // One fill at a time for a key: the first caller gets the turn at once and keeps it while the object lives; the others wait
    // for its entry. When that fill brought none, or the deadline passed, they have neither entry nor turn and go on alone.
    class Turn;
    [[nodiscard]] boost::asio::awaitable<Turn> wait_turn(const std::string& key, WallTime now, Deadline deadline);

    [[nodiscard]] bool fenced() const { return fence_.fenced(); }
    [[nodiscard]] const cache::PgSnapshot& latest() const { return fence_.latest(); }
    [[nodiscard]] std::uint64_t entries() const { return store_.entries(); }
    [[nodiscard]] std::uint64_t bytes() const { return store_.bytes(); }

    void invalidate(const cache::Invalidation& invalidation) { fence_.invalidate(invalidation); }
    void heartbeat(const cache::PgSnapshot& snapshot) { fence_.heartbeat(snapshot); }
    void gap(const cache::PgSnapshot& since) { fence_.gap(since); }
    void unfence() { fence_.unfence(); }
    void set_epoch(Epoch epoch);  // another one forgets everything

private:
    struct Fill;
    [[nodiscard]] bool holds(const cache::Entry& entry, WallTime now) const;
    [[nodiscard]] std::string redis_key(std::string_view key) const;
    void keep(const std::string& key, EntryPointer entry);

    boost::asio::io_context& context_;
    const config::CacheSettings settings_;
    const config::RedisSettings redis_;
    redis::Link* link_;
    events::Observer& observer_;
    cache::Fence fence_;
    cache::Store store_;
    Epoch epoch_;
    std::unordered_map<std::string, std::shared_ptr<Fill>> fills_;
};

class TieredCache::Turn {
public:
    Turn() = default;
    Turn(TieredCache& cache, std::string key) : cache_(&cache), key_(std::move(key)) {}
    explicit Turn(EntryPointer found) : entry(std::move(found)) {}
    Turn(Turn&& other) noexcept
        : entry(std::move(other.entry)), cache_(std::exchange(other.cache_, nullptr)), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

    EntryPointer entry;  // what another's fill brought

private:
    TieredCache* cache_ = nullptr;  // nothing: no turn is held
    std::string key_;
};

}  // namespace millrace::app
