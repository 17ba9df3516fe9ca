// The way of one call through the pool: checked, admitted, waited for, measured.
#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "lane_request.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "pool_state.hpp"

namespace millrace::pg {
namespace {

constexpr std::size_t batch_bytes_max = 64 * 1024;  // of rows that are read ahead of their reader
constexpr std::size_t parameters_max = 65'535;      // the protocol's count has 16 bits

// libpq takes text parameters as C strings: a zero byte would cut the value short, where Postgres would refuse it.
std::optional<Error> problem_of(const sql::Script& script, bool authenticated) {
    for (const auto& statement : script.statements) {
        if (statement.parameters.size() > parameters_max) return Error::of(Fault::bad_query, "The request has too many values");
        const auto has_zero = [](const auto& p) { return p && p->find('\0') != std::string::npos; };
        if (std::ranges::any_of(statement.parameters, has_zero)) {
            return database_error({"22021", "invalid byte sequence for encoding \"UTF8\": 0x00", {}, {}}, authenticated);
        }
    }
    return std::nullopt;
}

struct Keep {
    std::shared_ptr<Pool::State> state;
    RequestPointer request;

    // A caller that is cancelled gets its answer at once; what it asked for is cancelled, or goes on without it.
    void operator()(Waiter waiter) const {
        auto slot = asio::get_associated_cancellation_slot(waiter);
        if (slot.is_connected()) {
            slot.assign([s = std::weak_ptr(state), r = std::weak_ptr(request)](asio::cancellation_type) {
                const auto live = s.lock();
                const auto asked = r.lock();
                if (live && asked) live->abandon(*asked, Error::of(Fault::deadline_passed));
            });
        }
        request->waiter.emplace(std::move(waiter));
    }
};

// Until there is an answer, or rows to hand on.
asio::awaitable<void> until_woken(std::shared_ptr<Pool::State> state, RequestPointer request) {
    Keep keep{std::move(state), std::move(request)};
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(keep), asio::use_awaitable);
}

RequestPointer make_request(const sql::BoundScript& bound, const Call& call, const sql::Closing* closing) {
    auto request = std::make_shared<Request>();
    const sql::Script& script = *bound.script;
    request->script = bound.script;
    request->shape = script.statements[script.main].shape;
    request->values = bound.values;
    request->closing = closing;
    request->in_block = closing != nullptr || script.rolls_back || script.in_block;
    request->lane = request->in_block ? events::LaneClass::slow : call.lane;
    request->writes = script.writes || closing != nullptr;
    request->authenticated = call.authenticated;
    request->deadline = call.deadline;
    request->priority = call.priority;
    request->caller = call.caller;
    request->route = call.route;
    request->route_max = call.route_max;
    request->since = net::now();
    return request;
}

// From here on the caller has rows in its hands, and the script may not be sent again.
void hand_on(Request& request, sql::Results& results) {
    request.handed_on = true;
    results = std::move(request.results);
    results.push_back(request.rows.take());
    request.rows_bytes_max = batch_bytes_max;
    if (request.on != nullptr) request.on->resume();
}

void measure(const Request& request, events::Observer& observer, Timing& timing) {
    const bool was_sent = request.sent != TimePoint();
    timing.waited = (was_sent ? request.sent : request.finished) - request.since;
    timing.took = was_sent ? request.finished - request.sent : Duration::zero();
    timing.done = request.done;
    observer.on(events::LaneWaited{request.lane, timing.waited});
    if (was_sent) observer.on(events::StatementFinished{request.lane, timing.took, !request.answer->has_value()});
}

}  // namespace

Pool::Pool(asio::io_context& context, const config::DatabaseSettings& settings, events::Observer& observer,
           const config::LimitSettings& limits)
    : state_(std::make_shared<State>(context, settings, limits, observer)) {}

Pool::~Pool() { state_->close(); }

void Pool::start() { state_->start(); }

void Pool::catch_up() { state_->catch_up(); }

bool Pool::available() const { return state_->connected_lanes() > 0; }

bool Pool::left_alone() const { return !state_->breaker.would_allow(net::now()); }

asio::awaitable<void> Pool::stop() { return state_->stop(); }

asio::awaitable<Result<sql::Results>> Pool::run(sql::BoundScript script, const Call& call, const sql::Closing* closing,
                                                Timing& timing) {
    auto problem = problem_of(*script.script, call.authenticated);
    if (problem) co_return std::move(*problem);
    const auto state = state_;
    const auto request = make_request(script, call, closing);
    state->admit(request);
    if (!request->answered()) co_await until_woken(state, request);
    measure(*request, state->observer, timing);
    co_return std::move(*request->answer);
}

asio::awaitable<Result<Opened>> Pool::open(sql::BoundScript script, const Call& call, std::size_t kept_bytes_max,
                                           Timing& timing) {
    auto problem = problem_of(*script.script, call.authenticated);
    if (problem) co_return std::move(*problem);
    const auto state = state_;
    const auto request = make_request(script, call, nullptr);
    request->may_stream = !request->writes;
    request->streams = request->may_stream && request->lane == events::LaneClass::slow;
    request->rows_bytes_max = kept_bytes_max;
    state->admit(request);
    if (!request->answered()) co_await until_woken(state, request);
    Opened opened;
    if (request->answered()) {
        measure(*request, state->observer, timing);
        if (!request->answer->has_value()) co_return std::move(*request->answer).error();
        opened.results = std::move(**request->answer);
    } else {
        hand_on(*request, opened.results);
        timing.waited = request->sent - request->since;
        timing.took = net::now() - request->sent;
        state->observer.on(events::LaneWaited{request->lane, timing.waited});
        opened.rest = std::make_unique<RowStream>(state, request);
    }
    co_return opened;
}

RowStream::RowStream(std::shared_ptr<Pool::State> pool, std::shared_ptr<Request> request)
    : pool_(std::move(pool)), request_(std::move(request)) {}

RowStream::~RowStream() {
    pool_->abandon(*request_, Error::of(Fault::deadline_passed));
    if (!pool_->closed) pool_->observer.on(events::StatementFinished{request_->lane, took(), !request_->answer->has_value()});
}

asio::awaitable<Result<sql::Rows>> RowStream::next() {
    const auto request = request_;
    if (!request->answered() && !request->has_rows()) co_await until_woken(pool_, request);
    if (request->answered() && !request->answer->has_value()) co_return request->answer->error();
    sql::Rows rows = request->rows.take();
    if (request->on != nullptr) request->on->resume();
    co_return rows;
}

void RowStream::extend(Deadline deadline) { request_->deadline = deadline; }

Duration RowStream::took() const { return (request_->answered() ? request_->finished : net::now()) - request_->sent; }

}  // namespace millrace::pg
