// What a Pool is made of: the lanes of two classes, a bounded queue before each, and one timer for all deadlines.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "lane.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {

inline constexpr Duration reconnect_patience = std::chrono::seconds(2);  // of what is to be sent once more

[[nodiscard]] inline Error with_retry(Fault fault) { return Error::of(fault).with_header("Retry-After", "1"); }

struct Pool::State final : LaneOwner, std::enable_shared_from_this<Pool::State> {
    State(asio::io_context& io, const config::DatabaseSettings& database, const config::LimitSettings& limits,
          events::Observer& events);

    void start();
    void close();  // everything that is not answered yet is: the server is draining
    asio::awaitable<void> stop();

    void admit(const RequestPointer& request);  // sends it, queues it or answers it
    void abandon(Request& request, Error error);
    [[nodiscard]] std::size_t connected_lanes() const;

    // LaneOwner
    void connected(Lane& lane) override;
    void connect_failed(Lane& lane, const std::string& reason) override;
    void broke(Lane& lane, const std::string& reason, std::vector<RequestPointer> unanswered) override;
    void answer(Request& request, Answer answer) override;
    void again(RequestPointer request) override;
    void rows_came(Request& request) override;
    void too_large(Request& request) override;
    void late(Request& request) override;
    void turned(Lane& lane) override;
    void answered() override;
    void read_only(RequestPointer request) override;
    void spawn(asio::awaitable<void> task) override;
    void cancel(std::shared_ptr<PGcancel> handle, std::shared_ptr<Lane> lane, std::uint64_t generation) override;
    double random() override;

    struct Class {
        std::vector<std::shared_ptr<Lane>> lanes;
        congestion::FairQueue queue;
        congestion::ConcurrencyLimit limit;
        bool adaptive = false;
        bool failing = false;  // no lane, and the last attempt to connect failed
        events::LaneGauge gauge;

        [[nodiscard]] int connected() const;
        [[nodiscard]] std::size_t in_flight() const;
        [[nodiscard]] Lane* choose() const;
    };

    // Calls of a route that may take only so many lanes at once.
    struct Bulkhead {
        std::size_t underway = 0, most = 0;
        congestion::FairQueue waiting;
    };

    Class& class_of(events::LaneClass lane) { return classes[static_cast<std::size_t>(lane)]; }
    [[nodiscard]] Class make_class(events::LaneClass lane, const config::LimitSettings& limits);
    void learn(const Request& request);
    void wake(Request& request);  // as soon as the present event is dealt with
    void deliver();               // resumes those whose answer is there
    void deliver_later();         // the same, from a place where resuming would surprise
    void catch_up();
    void arm_tick();
    void tick();
    void report();  // gauges and the backend's state, where they have changed
    void report_backend(bool up, const std::string& reason);

    // pool_queue.cpp
    void place(const RequestPointer& request);  // sends it, or has it wait for a lane
    void drain(Class& lanes);
    [[nodiscard]] bool enter(const RequestPointer& request);
    void leave(Request& request);
    void let_in();  // those whose route has room again
    void refuse(const congestion::WaitingPointer& one);
    void expire(congestion::FairQueue& queue, TimePoint now);
    void fail_waiting(events::LaneClass lane);
    void give_up_all(congestion::FairQueue& queue);

    // pool_faults.cpp
    [[nodiscard]] bool may_repeat(const Request& request, bool moves);
    void waited_in_vain(TimePoint since);
    void look_at_breaker();

    asio::io_context& context;
    const config::DatabaseSettings settings;
    events::Observer& observer;
    net::TaskGroup tasks;
    net::Signal idle;
    asio::steady_timer ticker;
    bool ticking = false, stopping = false, closed = false, delivery_posted = false;
    const Duration queue_target;
    std::array<Class, 2> classes;
    std::unordered_map<std::uint64_t, Bulkhead> bulkheads;  // by route; of those with calls
    std::vector<std::uint64_t> with_room;                   // routes
    std::size_t underway = 0;                               // admitted and not answered
    std::vector<Waiter> to_wake;
    std::optional<bool> reported_up;
    policy::Breaker breaker;
    policy::RetryBudget retries;
    bool reported_open = false;
    TimePoint answered_at{};  // when Postgres last gave a result, on whichever lane
    TimePoint moved_at{};     // when all lanes were last told to connect anew
    std::minstd_rand engine;
    std::unique_ptr<asio::thread_pool> canceller;  // PQcancel blocks; made when it is first needed
};

}  // namespace millrace::pg
