// One worker's view of the cache: its own memory first, then the shared Redis, both checked against the fence on every read;
// and who reads the database when neither has an answer, so that of many who want it one does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
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

// The answers that are being read in this process, by key; touched on misses only. Any thread.
class FillTable {
public:
    FillTable();
    ~FillTable();
    [[nodiscard]] std::size_t size() const;

    struct State;

private:
    friend class TieredCache;
    std::shared_ptr<State> state_;
};

// How a caller wants an answer.
struct Ask {
    WallTime now;    // by which entries grow old
    TimePoint tick;  // the same moment, by which the fence is trusted
    cache::StaleWindows windows{};
    std::optional<fence::Xid> token{};
    bool by_time = false;  // of what lives by its time alone: it need not be known that nothing has changed

    void renew();  // the moment, after something was waited for
};

struct Lookup {
    EntryPointer entry;  // to be used as `use` says; nothing: ask the database
    cache::Use use = cache::Use::none;
    bool early = false;  // fresh, and better read anew before it ends
    events::CacheResult result = events::CacheResult::miss;
    events::CacheReason reason = events::CacheReason::absent;
    Duration stale_for{};  // of what is given although it holds no longer: since when that may be so
    Duration redis{};      // time spent on it

    [[nodiscard]] bool answers() const { return use == cache::Use::fresh || use == cache::Use::stale; }
};

// One per worker and on its thread only. It must outlive the coroutines that use it, and the link must outlive it.
class TieredCache {
public:
    // `link` may be nothing: then there is only memory. `fills` is the process's; nothing: one of its own.
    TieredCache(asio::io_context& context, const config::CacheSettings& cache, const config::RedisSettings& redis,
                redis::Link* link, events::Observer& observer, std::shared_ptr<FillTable> fills = nullptr);
    ~TieredCache();

    // The hot path: no coroutine, no allocation.
    [[nodiscard]] Lookup find_memory(std::string_view key, const Ask& ask);

    // Beside the entry's own body, where the entry is still kept. `of` may have been replaced by one with the same body
    // meanwhile.
    void add_variant(const std::string& key, const cache::Entry& of, cache::Variant variant);

    struct Flight;
    struct Waiter;
    // The right and duty to read a key; whoever else of this process wants it waits until this is filled or gone.
    class Ticket {
    public:
        Ticket() = default;
        Ticket(Ticket&&) = default;
        Ticket& operator=(Ticket&& other) noexcept;
        ~Ticket() { give(nullptr); }
        explicit operator bool() const { return flight_ != nullptr; }

    private:
        friend class TieredCache;
        Ticket(std::shared_ptr<FillTable::State> table, std::shared_ptr<Flight> flight);
        void give(const EntryPointer& entry);

        std::shared_ptr<FillTable::State> table_;
        std::shared_ptr<Flight> flight_;
    };
    struct Turn {
        Ticket ticket;  // fill it, with fill()
        Lookup found;   // what another read meanwhile; neither: that took too long or is not kept, go on by yourself
    };
    // After find_memory: one caller per key gets the ticket and goes on to find_shared and the database.
    [[nodiscard]] asio::awaitable<Turn> take_turn(std::string key, Ask ask, Deadline deadline);
    [[nodiscard]] Ticket try_ticket(std::string_view key);  // nothing when somebody has it

    // The right of one replica to read for all. Given back when it goes.
    class Lease {
    public:
        Lease() = default;
        Lease(Lease&& other) noexcept { *this = std::move(other); }
        Lease& operator=(Lease&& other) noexcept;
        ~Lease() { give_back(); }
        explicit operator bool() const { return !token_.empty(); }

    private:
        friend class TieredCache;
        void give_back();

        std::weak_ptr<redis::Link*> link_;
        std::string name_, token_;  // nothing to give back when the token is empty
    };
    struct Search {
        Deadline deadline;
        Duration wait_max{};  // for another replica that reads it
        std::string known{};  // order of an entry that will not do, though it is found
    };
    struct Shared {
        Lookup found;
        bool reads = true;  // the caller is the one who reads it from the database; else another replica does
        Lease lease;
    };
    // Whether there is a Redis to ask.
    [[nodiscard]] bool shares() const { return link_ != nullptr && !epoch_.empty(); }
    // What is found is kept in memory. Each exchange with Redis has its budget; beyond it, and while unfenced, the database is
    // asked.
    [[nodiscard]] asio::awaitable<Shared> find_shared(std::string key, Ask ask, Search search);
    // What may be given because the database cannot answer: from either tier, fenced or not.
    [[nodiscard]] asio::awaitable<Lookup> find_spare(std::string key, Ask ask);

    // Memory and Redis; not what has been invalidated since it was read, nor what is too large. `cost`: of having read it;
    // `windows`: for how long it may be of use afterwards.
    // Gives back what stays: that entry, or one that was read later; nothing when it is not kept.
    // `by_time`: as in Ask.
    EntryPointer put(std::string key, EntryPointer entry, Duration cost = {}, const cache::StaleWindows& windows = {},
                     bool by_time = false);
    // What memory has under the key, whatever it is good for; not what was purged.
    [[nodiscard]] EntryPointer find_any(std::string_view key);
    void forget(const std::string& key);           // here and in Redis
    void fill(Ticket ticket, EntryPointer entry);  // hands what is kept already to those who wait

    // What the fence knows, exchanged with the other replicas: adopted when that is safe, so that older entries in Redis are of
    // use; and published, when `publish`, for those who begin to listen later. Once in `states_every`.
    [[nodiscard]] asio::awaitable<void> exchange_states(bool publish);
    static constexpr Duration states_every = std::chrono::seconds(2);

    // What proved not to be kept: for a short while who wants it does not wait for others.
    void remember_unkept(std::string_view key, WallTime now);
    [[nodiscard]] bool unkept(std::string_view key, WallTime now) const { return unkept_.holds(key, now); }

    // The cluster that the entries are of. Another one than before: nothing known holds, unfenced until the next gap().
    void set_epoch(std::string_view system_identifier, std::uint32_t timeline, std::int64_t incarnation = 0);
    // Another number after each change of the epoch: what was read in another one must not be kept.
    [[nodiscard]] std::uint64_t era() const { return era_; }
    [[nodiscard]] bool is_epoch(std::string_view system_identifier, std::uint32_t timeline) const;
    void invalidate(const fence::Invalidation& invalidation) { fence_.invalidate(invalidation); }
    // `asked`: every invalidation of what had committed by then has been applied.
    void heartbeat(const fence::PgSnapshot& snapshot, TimePoint asked);
    void gap(const fence::PgSnapshot& since, TimePoint asked);
    void unfence();
    void lose();       // the same, for nothing is heard until somebody listens anew
    void purge_all();  // of this memory; entries in Redis end by gap() or by their time

    // Whether entries may be served now. A process that was held up wakes with invalidations still unread, and nobody has told
    // it to distrust them: so what was proved last holds for `lag_limit_ms` only. That is the bound on staleness.
    [[nodiscard]] bool fenced(TimePoint now) const { return fence_.fenced() && trust_.holds(now); }
    [[nodiscard]] const fence::Fence& fence() const { return fence_; }
    [[nodiscard]] const cache::Store& store() const { return store_; }
    [[nodiscard]] std::size_t fills_in_flight() const { return fills_->size(); }

private:
    struct Names;
    [[nodiscard]] Lookup weigh(cache::Kept& kept, const Ask& ask);
    [[nodiscard]] Lookup weigh_shared(const std::string& key, std::string_view name, std::string_view bytes, const Ask& ask);
    [[nodiscard]] bool about_to_end(const cache::Kept& kept, WallTime now);
    [[nodiscard]] std::shared_ptr<Flight> join(std::string_view key, std::shared_ptr<Waiter> waiter);
    [[nodiscard]] Lookup accept(const std::string& key, const EntryPointer& entry, const Ask& ask);
    void take(Lookup& found, const std::string& key, std::string_view name, std::string_view bytes, const Ask& ask,
              std::string_view known);
    [[nodiscard]] asio::awaitable<Result<redis::Value>> claim(const Names& names, const Lease& lease, const std::string& known,
                                                              Deadline deadline);
    EntryPointer keep(std::string key, EntryPointer entry, Duration cost);
    void share(const std::string& key, const cache::Entry& entry, const cache::StaleWindows& windows);
    [[nodiscard]] std::string prefix_of(std::string_view system_identifier, std::uint32_t timeline) const;
    [[nodiscard]] Names names_of(std::string_view key) const;
    [[nodiscard]] Lease lease_on(std::string name);

    asio::io_context& context_;
    config::CacheSettings settings_;
    Duration redis_budget_, fill_wait_;
    redis::Link* link_;
    std::shared_ptr<redis::Link*> link_alive_;  // leases outlive this by a moment when the loop ends
    events::Observer& observer_;
    std::string prefix_, epoch_;
    fence::Fence fence_;
    fence::Trust trust_;
    std::uint64_t era_ = 0;
    std::uint64_t heard_version_ = 0;  // of the fence, when invalidations were last heard, and when that was
    WallTime heard_until_{};
    cache::Store store_;
    cache::Unkept unkept_;
    std::shared_ptr<FillTable> fills_;
    std::minstd_rand random_;
    std::string lease_token_;  // of this cache; each lease adds a number
    std::uint64_t leases_ = 0;
    unsigned exchanges_ = 0;  // since the last gap
};

}  // namespace millrace::app
