// One core's share of the process: an event loop with its own acceptor, lanes, Redis link and cache. Nothing in it is shared
// with other workers but the immutable Snapshot.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/pipeline.hpp"

namespace millrace::http {
class Tls;
}

namespace millrace::app {

// Which life of the database an entry belongs to: after a failover, and after a crash that lost what was not flushed, xids are
// used again (docs/cache.md, "Lives").
struct Epoch {
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
    std::int64_t incarnation = 0;
    bool operator==(const Epoch&) const = default;
};

// What others may know of a worker, written by it twice a second.
struct Health {
    std::atomic<std::int64_t> ticked_ms{0};  // steady clock
    std::atomic<bool> database{false};
    std::atomic<bool> redis{false};
    std::atomic<bool> fenced{false};
    std::atomic<std::uint64_t> cache_entries{0}, cache_bytes{0};
    std::atomic<std::uint64_t> fills{0};  // underway in the whole process
};

class FillTable;

class Worker {
public:
    using Broadcast = std::function<void(const fence::Invalidation&)>;

    // `broadcast` tells the process's other workers of a write that this one made; called on this worker's thread.
    // `fills` is the process's.
    // `ask_for_keys` as well is called on this worker's thread; keys_settled() answers it.
    Worker(std::shared_ptr<const pipeline::Snapshot> snapshot, events::Observer& observer, std::shared_ptr<FillTable> fills,
           Broadcast broadcast, std::function<void()> ask_for_keys);
    ~Worker();

    // Before run(); the port. `tls`: nothing where connections are plain.
    [[nodiscard]] Result<std::uint16_t> open(config::Listen listen, std::shared_ptr<const http::Tls> tls);
    void run();  // the thread's body; returns after finish()

    // From any thread; they take effect in the order they were called.
    void adopt(std::shared_ptr<const pipeline::Snapshot> snapshot);
    void renew(std::shared_ptr<const http::Tls> tls);  // for connections to come
    void keys_settled();                               // what is published has been adopted, or has not changed
    void invalidate(std::shared_ptr<const fence::Invalidation> invalidation);
    // `asked`: whatever had committed by then is visible in the snapshot, and its invalidations have been told before.
    void heartbeat(std::shared_ptr<const fence::PgSnapshot> snapshot, TimePoint asked);
    void fence(Epoch epoch, std::shared_ptr<const fence::PgSnapshot> since, TimePoint asked);
    void unfence();
    void lose();                    // the same, for nothing is heard until somebody listens anew
    void drain(Deadline deadline);  // no new connections, requests in flight finish, what is left at the deadline is cut

    [[nodiscard]] const Health& health() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace::app
