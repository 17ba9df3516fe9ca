// Decides which lane takes a request, who is answered when, and what becomes of those whose lane broke.
#include "pool_state.hpp"

#include <poll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration tick_period = 20ms;
constexpr Duration stop_patience = 10s;
constexpr Duration harmless = 2ms;  // nobody minds waiting for so long inside a lane

// query_canceled. Postgres has the same deadline and may be the first to notice that it has passed.
constexpr std::string_view statement_timed_out = "57014";

Error outcome_unknown(Error error, bool writes) {
    if (!writes) return error;
    return std::move(error).with_details("The write was underway: whether it took effect is unknown.");
}

}  // namespace

Pool::State::State(asio::io_context& io, const config::DatabaseSettings& database, const config::LimitSettings& limits,
                   events::Observer& events)
    : context(io),
      settings(database),
      observer(events),
      tasks(io, events),
      idle(io),
      ticker(io),
      queue_target(std::chrono::milliseconds(limits.queue_target_ms)),
      classes{make_class(events::LaneClass::fast, limits), make_class(events::LaneClass::slow, limits)},
      breaker(static_cast<unsigned>(limits.breaker_failures_max), std::chrono::milliseconds(limits.breaker_open_ms)),
      retries(limits.retry_budget_percent),
      engine(std::random_device{}()) {}

Pool::State::Class Pool::State::make_class(events::LaneClass lane, const config::LimitSettings& limits) {
    const bool fast = lane == events::LaneClass::fast;
    const auto depth = fast ? std::max<std::uint64_t>(settings.lane_depth_max, 1) : 1;
    const auto count = std::max<std::uint64_t>(fast ? settings.fast_lanes : settings.slow_lanes, 1);
    const std::size_t most = count * depth;
    Class lanes{.lanes = {},
                .queue = congestion::FairQueue(settings.queue_max, queue_target),
                .limit = congestion::ConcurrencyLimit({std::min<std::size_t>(limits.concurrency_min, most), most, harmless}),
                .adaptive = limits.adaptive,
                .gauge = {}};
    lanes.gauge.lane = lane;
    for (std::uint64_t i = 0; i < count; ++i)
        lanes.lanes.push_back(std::make_shared<Lane>(context, LaneSettings{lane, depth, settings}, *this));
    return lanes;
}

void Pool::State::start() {
    for (auto& lanes : classes) {
        for (const auto& lane : lanes.lanes) lane->start();
    }
}

void Pool::State::admit(const RequestPointer& request) {
    ++underway;
    if (stopping || closed) return answer(*request, with_retry(Fault::draining));
    retries.requested();
    if (!breaker.allows(request->since)) return answer(*request, with_retry(Fault::circuit_open));
    if (enter(request)) place(request);
    arm_tick();
}

int Pool::State::Class::connected() const {
    return static_cast<int>(std::ranges::count_if(lanes, [](const auto& lane) { return lane->connected(); }));
}

std::size_t Pool::State::Class::in_flight() const {
    std::size_t count = 0;
    for (const auto& lane : lanes) count += lane->in_flight();
    return count;
}

// The least loaded; one that waits long for its present statement only when there is no other.
Lane* Pool::State::Class::choose() const {
    if (adaptive && in_flight() >= limit.limit()) return nullptr;
    Lane* best = nullptr;
    const auto load = [](const Lane& lane) { return std::pair(lane.stalled(), lane.in_flight()); };
    for (const auto& lane : lanes) {
        if (lane->has_room() && (best == nullptr || load(*lane) < load(*best))) best = lane.get();
    }
    return best;
}

void Pool::State::answer(Request& request, Answer answer) {
    if (request.answered()) return;
    request.finished = net::now();
    const bool timed_out = !answer && answer.error().code == statement_timed_out;
    if (timed_out && request.deadline.passed(request.finished + tick_period)) answer = Error::of(Fault::deadline_passed);
    request.answer.emplace(std::move(answer));
    leave(request);
    learn(request);
    if (underway > 0 && --underway == 0) idle.notify_all();
    wake(request);
}

// How long answers take says how many may be underway. Not what a slow reader or a deadline made of it.
void Pool::State::learn(const Request& request) {
    if (request.sent == TimePoint() || request.handed_on || !request.answer->has_value()) return;
    Class& lanes = class_of(request.lane);
    const Duration took = request.finished - request.sent;
    lanes.queue.held(took);
    lanes.limit.finished(request.shape, took, lanes.in_flight(), request.finished);
}

void Pool::State::wake(Request& request) {
    if (!request.waiter) return;
    asio::get_associated_cancellation_slot(*request.waiter).clear();
    to_wake.push_back(std::move(*request.waiter));
    request.waiter.reset();
}

void Pool::State::rows_came(Request& request) { wake(request); }

// The lane breaks next, and gives it back.
void Pool::State::too_large(Request& request) {
    request.lane = events::LaneClass::slow;
    request.streams = request.may_stream;
}

void Pool::State::abandon(Request& request, Error error) {
    if (request.answered()) return;
    Lane* const lane = request.on;
    answer(request, outcome_unknown(std::move(error), request.writes && lane != nullptr));
    if (lane != nullptr && lane->lane() == events::LaneClass::slow) lane->cancel();
    deliver_later();
}

void Pool::State::late(Request& request) {
    waited_in_vain(request.sent);
    abandon(request, Error::of(Fault::deadline_passed));
}

void Pool::State::again(RequestPointer request) {
    ++request->attempts;
    request->results.clear();
    request->done = 0;
    request->rows.clear();
    request->error.reset();
    request->statement_is_gone = request->server_is_read_only = false;
    auto& queue = class_of(request->lane).queue;
    queue.push_front(std::move(request));
}

void Pool::State::connected(Lane& lane) {
    class_of(lane.lane()).failing = false;
    for (auto& each : classes)
        for (const auto& other : each.lanes) other->hurry();
    answered();
    report_backend(true, {});
    turned(lane);
    report();
}

// One look at all sockets instead of a read of each that may be in vain.
void Pool::State::catch_up() {
    std::vector<std::shared_ptr<Lane>> asked;  // a lane may go meanwhile
    std::vector<pollfd> sockets;
    for (const Class& one : classes)
        for (const auto& lane : one.lanes) {
            if (!lane->awaits_results()) continue;
            asked.push_back(lane);
            sockets.push_back({lane->socket(), POLLIN, 0});
        }
    if (sockets.empty() || ::poll(sockets.data(), sockets.size(), 0) <= 0) return;
    for (std::size_t i = 0; i < asked.size(); ++i)
        if (sockets[i].revents != 0) asked[i]->catch_up();
}

void Pool::State::turned(Lane& lane) {
    drain(class_of(lane.lane()));
    deliver();
}

void Pool::State::connect_failed(Lane& lane, const std::string& reason) {
    auto& lanes = class_of(lane.lane());
    if (connected_lanes() == 0) report_backend(false, reason);
    if (lanes.connected() > 0) return;
    lanes.failing = true;
    fail_waiting(lane.lane());
    deliver();
}

void Pool::State::broke(Lane& lane, const std::string& reason, std::vector<RequestPointer> unanswered) {
    const auto patience = net::now() + reconnect_patience;
    std::ranges::reverse(unanswered);
    for (auto& request : unanswered) {
        const bool moves = request->lane != lane.lane();  // to lanes that are not broken
        if (!may_repeat(*request, moves)) {
            answer(*request, outcome_unknown(with_retry(Fault::database_unavailable), request->writes));
        } else {
            request->give_up = moves ? TimePoint::max() : patience;
            again(std::move(request));
        }
    }
    if (connected_lanes() == 0) report_backend(false, reason);
    for (auto& each : classes) drain(each);
    report();
    deliver_later();
}

// A resumed coroutine may call run() again, or end the pool; the lane that led here is in order by now.
void Pool::State::deliver() {
    const auto self = shared_from_this();
    let_in();
    while (!to_wake.empty()) {
        auto batch = std::exchange(to_wake, {});
        for (auto& waiter : batch) std::move(waiter)();
    }
}

void Pool::State::deliver_later() {
    if (delivery_posted) return;
    delivery_posted = true;
    asio::post(context, [self = shared_from_this()] {
        self->delivery_posted = false;
        self->deliver();
    });
}

// Runs only while there is something to look after, so that an idle process sleeps.
void Pool::State::arm_tick() {
    if (ticking || closed) return;
    ticking = true;
    ticker.expires_after(tick_period);
    ticker.async_wait([self = shared_from_this()](boost::system::error_code) {
        self->ticking = false;
        if (!self->closed) self->tick();
    });
}

void Pool::State::tick() {
    const auto now = net::now();
    bool busy = underway > 0;
    for (auto& lanes : classes) {
        for (const auto& lane : lanes.lanes) {
            lane->tick(now);
            busy = busy || lane->in_flight() > 0;
        }
        expire(lanes.queue, now);
        drain(lanes);
    }
    for (auto& [route, bulkhead] : bulkheads) expire(bulkhead.waiting, now);
    look_at_breaker();
    report();
    if (busy) arm_tick();
    deliver();
}

void Pool::State::report() {
    for (auto& lanes : classes) {
        auto gauge = lanes.gauge;
        gauge.connected = lanes.connected();
        gauge.busy =
            static_cast<int>(std::ranges::count_if(lanes.lanes, [](const auto& lane) { return lane->in_flight() > 0; }));
        gauge.queued = static_cast<int>(lanes.queue.size());
        gauge.limit = static_cast<int>(lanes.limit.limit());
        if (gauge == lanes.gauge) continue;
        lanes.gauge = gauge;
        observer.on(gauge);
    }
}

void Pool::State::report_backend(bool up, const std::string& reason) {
    if (reported_up == up) return;
    reported_up = up;
    observer.on(events::BackendUp{events::Backend::postgres, up, reason});
}

std::size_t Pool::State::connected_lanes() const {
    std::size_t count = 0;
    for (const auto& lanes : classes) count += static_cast<std::size_t>(lanes.connected());
    return count;
}

void Pool::State::spawn(asio::awaitable<void> task) { tasks.spawn("postgres lane", std::move(task)); }

double Pool::State::random() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine); }

void Pool::State::cancel(std::shared_ptr<PGcancel> handle, std::shared_ptr<Lane> lane, std::uint64_t generation) {
    if (!canceller) canceller = std::make_unique<asio::thread_pool>(1);
    // The lane comes back to its own thread before anything there is touched, and is let go there.
    auto send = [&loop = context, handle = std::move(handle), lane = std::move(lane), generation]() mutable {
        std::array<char, 256> ignored{};
        PQcancel(handle.get(), ignored.data(), static_cast<int>(ignored.size()));
        auto sent = [lane = std::move(lane), generation] { lane->cancel_was_sent(generation); };
        asio::post(loop, std::move(sent));
    };
    asio::post(*canceller, std::move(send));
}

asio::awaitable<void> Pool::State::stop() {
    const auto self = shared_from_this();
    stopping = true;
    const Deadline patience{net::now() + stop_patience};
    while (underway > 0) {
        const bool woken = co_await idle.wait(patience);
        if (!woken) break;
    }
    close();
    co_await tasks.wait(patience);
}

void Pool::State::close() {
    if (std::exchange(closed, true)) return;
    for (auto& lanes : classes) {
        for (const auto& lane : lanes.lanes) {
            for (const auto& request : lane->close()) {
                answer(*request, outcome_unknown(with_retry(Fault::draining), request->writes));
            }
        }
        give_up_all(lanes.queue);
    }
    for (auto& [route, bulkhead] : bulkheads) give_up_all(bulkhead.waiting);
    ticker.cancel();
    tasks.cancel();
    deliver_later();
    report();
}

}  // namespace millrace::pg
