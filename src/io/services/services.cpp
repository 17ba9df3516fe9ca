// Sends a request to one address after another as long as the rules allow it, and checks addresses while nobody asks.
#include "millrace/io/services.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <utility>

#include "passing.hpp"
#include "service.hpp"

namespace millrace::services {
namespace {

using message::Method;

Duration ms(std::uint64_t count) { return std::chrono::milliseconds(count); }

std::string key_of(const routes::ApiCatalog& api, const std::string& name) {
    return api.version() + "/" + api.table().schema + "/" + name;
}

std::uint64_t fingerprint(const std::shared_ptr<const routes::Authorities>& authorities) {
    return authorities ? authorities->fingerprint : 0;
}

bool same(const routes::UpstreamPolicy& a, const routes::UpstreamPolicy& b) {
    return a.urls == b.urls && fingerprint(a.authorities) == fingerprint(b.authorities) && a.path == b.path &&
           a.health_path == b.health_path && a.health_every_ms == b.health_every_ms &&
           a.connect_timeout_ms == b.connect_timeout_ms && a.timeout_ms == b.timeout_ms &&
           a.connections_max == b.connections_max && a.retries_max == b.retries_max &&
           a.forward_authorization == b.forward_authorization && a.set_headers == b.set_headers &&
           a.remove_headers == b.remove_headers;
}

// What is to be sent, and until when; `passing`: the body, where it comes piece by piece.
struct Call {
    const upstream::Sending& sending;
    Deadline deadline;
    Passing* passing = nullptr;

    [[nodiscard]] bool repeatable() const { return passing == nullptr || passing->repeatable(); }
};

// What became of one attempt.
struct Tried {
    std::optional<Answer> answer;
    Failure failure = Failure::connect;
    bool full = false;             // no connection was to be had: that is no failure of the address
    std::string complaint;         // why no connection could be opened
    std::optional<Error> refused;  // by the client's side: nor is that one of the address
};

events::ServiceResult result_of(const Tried& tried) {
    using events::ServiceResult;
    if (tried.full) return ServiceResult::full;
    if (tried.answer) return tried.answer->head.status >= 500 ? ServiceResult::server_error : ServiceResult::ok;
    switch (tried.failure) {
        case Failure::connect:
            return ServiceResult::connect;
        case Failure::lost:
            return ServiceResult::lost;
        case Failure::timed_out:
            return ServiceResult::timed_out;
        case Failure::garbage:
            break;
    }
    return ServiceResult::garbage;
}

Error error_of(Failure failure) {
    switch (failure) {
        case Failure::connect:
            return Error::of(Fault::upstream_unavailable).with_header("Retry-After", "1");
        case Failure::timed_out:
            return Error::of(Fault::upstream_timed_out);
        case Failure::lost:
        case Failure::garbage:
            break;
    }
    return Error::of(Fault::upstream_failed);
}

}  // namespace

struct Services::State : std::enable_shared_from_this<Services::State> {
    State(asio::io_context& io, const config::LimitSettings& l, events::Observer& o)
        : context(io), limits(l), observer(o), watchdog(io), tasks(io, o) {}

    std::shared_ptr<Service> find(const routes::ApiCatalog& api, const upstream::Sending& sending) const;
    asio::awaitable<Result<Answer>> call(std::shared_ptr<Service> service, Call what);
    asio::awaitable<Tried> exchange(std::shared_ptr<Service> service, std::size_t at, const Call& what);
    asio::awaitable<Connection::Received> ask(Connection& connection, const Service& service, const std::string& head,
                                              const Call& what, Tried& out);
    asio::awaitable<void> check(std::shared_ptr<Service> service, std::size_t at);
    asio::awaitable<bool> is_well(const Service& service, std::size_t at);
    void note(Service& service, std::size_t at, const Tried& tried);
    Error refusal(upstream::Balancer::None why) const;

    asio::io_context& context;
    const config::LimitSettings limits;
    events::Observer& observer;
    net::Watchdog watchdog;
    std::map<std::string, std::shared_ptr<Service>> services;
    net::TaskGroup tasks;
};

Services::Services(asio::io_context& context, const config::LimitSettings& limits, events::Observer& observer)
    : state_(std::make_shared<State>(context, limits, observer)) {}

Services::~Services() { stop(); }

void Services::adopt(const routes::Versions& versions) {
    State& state = *state_;
    std::map<std::string, std::shared_ptr<Service>> next;
    for (const auto& api : versions)
        for (const auto& route : api->upstreams()) {
            const std::string key = key_of(*api, route->name);
            const auto known = state.services.find(key);
            if (known != state.services.end() && same(known->second->policy, route->upstream)) {
                next.emplace(key, known->second);
                continue;
            }
            auto report = std::make_shared<const Report>(state.observer, api->version(), route->name);
            auto service = std::make_shared<Service>(state.context, route->upstream, state.limits, std::move(report));
            next.emplace(key, service);
            if (service->policy.health_path.empty()) continue;
            for (std::size_t at = 0; at < service->pools.size(); ++at)
                state.tasks.spawn("upstream check", state.check(service, at));
        }
    std::swap(state.services, next);
    for (const auto& [key, service] : next) {
        const auto kept = state.services.find(key);
        if (kept == state.services.end() || kept->second != service) service->retire();
    }
}

void Services::stop() {
    for (const auto& [key, service] : state_->services) service->retire();
    state_->tasks.cancel();
}

asio::awaitable<Result<Answer>> Services::call(const routes::ApiCatalog& api, const upstream::Sending& sending,
                                               Deadline deadline) {
    const auto state = state_;
    auto service = state->find(api, sending);
    if (!service) co_return Error::of(Fault::upstream_unavailable);
    const Call what{sending, deadline};
    co_return co_await state->call(std::move(service), what);
}

asio::awaitable<Result<Answer>> Services::call(const routes::ApiCatalog& api, const upstream::Sending& sending,
                                               Deadline deadline, Upload upload) {
    const auto state = state_;
    auto service = state->find(api, sending);
    if (!service) co_return Error::of(Fault::upstream_unavailable);
    Passing passing(std::move(upload), !sending.length);
    const Call what{sending, deadline, &passing};
    co_return co_await state->call(std::move(service), what);
}

std::shared_ptr<Service> Services::State::find(const routes::ApiCatalog& api, const upstream::Sending& sending) const {
    const auto found = services.find(key_of(api, sending.route.name));
    return found == services.end() ? nullptr : found->second;
}

asio::awaitable<Result<Answer>> Services::State::call(std::shared_ptr<Service> service, Call what) {
    const Method method = what.sending.request.method;
    const std::uint64_t retries_max = service->policy.retries_max;
    std::vector<bool> tried(service->pools.size());
    std::uint64_t retries = 0;
    std::optional<Error> last;
    service->budget.requested();
    for (;;) {
        const bool others =
            retries < retries_max && service->pools.size() > 1 && upstream::is_idempotent(method) && what.passing == nullptr;
        const auto choice = service->balancer.choose(tried, others, net::now());
        if (!choice.address) co_return last ? *last : refusal(choice.why);
        if (last) ++retries;
        const TimePoint began = net::now();
        auto outcome = co_await exchange(service, *choice.address, what);
        // A client that went away has broken it off: that says nothing about the address.
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) co_return error_of(Failure::lost);
        if (outcome.refused) co_return *std::move(outcome.refused);
        note(*service, *choice.address, outcome);
        service->report->asked(result_of(outcome), retries > 0, net::now() - began);
        if (outcome.answer) co_return *std::move(outcome.answer);
        tried[*choice.address] = true;
        last = error_of(outcome.failure);
        const bool again = upstream::may_retry(method, outcome.failure, retries, retries_max) && what.repeatable() &&
                           !what.deadline.passed(net::now()) && std::ranges::find(tried, false) != tried.end() &&
                           service->budget.take();
        if (!again) co_return *std::move(last);
    }
}

Error Services::State::refusal(upstream::Balancer::None why) const {
    if (why == upstream::Balancer::None::down) return error_of(Failure::connect);
    const std::uint64_t seconds = (limits.breaker_open_ms + 999) / 1000;
    return Error::of(Fault::circuit_open).with_header("Retry-After", std::to_string(std::max<std::uint64_t>(seconds, 1)));
}

void Services::State::note(Service& service, std::size_t at, const Tried& tried) {
    if (tried.full) return;
    if (!tried.complaint.empty()) service.pools[at]->not_opened(tried.complaint);
    const bool failed = !tried.answer || upstream::counts_as_failure(tried.answer->head.status);
    if (failed) {
        service.balancer.failed(at, net::now());
    } else {
        service.balancer.succeeded(at);
    }
    service.report_up();
}

// A connection that was kept may have been closed at this very moment; a request that can be sent twice then gets a new one.
asio::awaitable<Tried> Services::State::exchange(std::shared_ptr<Service> service, std::size_t at, const Call& what) {
    Tried out;
    const routes::UpstreamPolicy& policy = service->policy;
    const auto pool = service->pools[at];
    Pending pending(service, at);
    const TimePoint began = net::now();
    const Deadline to_connect{std::min(what.deadline.at, began + ms(policy.connect_timeout_ms))};
    auto slot = co_await pool->acquire(to_connect);
    out.full = !slot;
    if (!slot) co_return out;
    const std::string head = upstream::request_head(what.sending, pool->address);
    for (bool fresh = false;; fresh = true) {
        auto connection = fresh ? nullptr : pool->take_idle();
        const bool reused = connection != nullptr;
        if (!reused) {
            connection = std::make_unique<Connection>(context, watchdog);
            const auto trouble = co_await connection->open(pool->address, policy.authorities.get(), to_connect);
            out.failure = Failure::connect;
            out.complaint = connection->complaint();
            if (trouble) co_return out;
            pool->opened(*connection);
        }
        auto received = co_await ask(*connection, *service, head, what, out);
        if (out.refused) co_return out;
        if (!received.trouble) {
            const Duration patience = ms(policy.timeout_ms);
            Answer answer;
            answer.body = make_body(std::move(connection), std::move(slot), std::move(pending), received.head, patience);
            answer.head = std::move(received.head);
            out.answer = std::move(answer);
            co_return out;
        }
        out.failure = *received.trouble;
        const bool was_closed = reused && out.failure == Failure::lost && !received.begun;
        if (!was_closed || !upstream::is_idempotent(what.sending.request.method) || !what.repeatable()) co_return out;
    }
}

// Sends it and reads the head of its answer. A connection on which not all of it was sent is not used again.
asio::awaitable<Connection::Received> Services::State::ask(Connection& connection, const Service& service,
                                                           const std::string& head, const Call& what, Tried& out) {
    const Method method = what.sending.request.method;
    const Passing::Patience patience{ms(service.policy.timeout_ms), what.deadline};
    Deadline limit{std::min(patience.deadline.at, net::now() + patience.of_a_piece)};
    Passing::Sent sent;
    if (what.passing == nullptr) {
        sent.trouble = co_await connection.send(head, what.sending.request.body, limit);
        sent.whole = true;
    } else {
        connection.watch_for_answer(method, service.policy, [passing = what.passing] { passing->interrupt(); });
        sent = co_await what.passing->send(connection, head, patience);
        limit = what.passing->limit(patience);
    }
    Connection::Received received;
    received.trouble = sent.trouble;
    out.refused = std::move(sent.refused);
    if (sent.trouble || out.refused) co_return received;
    received = co_await connection.read_head(method, service.policy, limit);
    received.head.keep_alive = received.head.keep_alive && sent.whole;
    co_return received;
}

asio::awaitable<void> Services::State::check(std::shared_ptr<Service> service, std::size_t at) {
    for (bool awake = true; awake && !service->retired;) {
        const bool well = co_await is_well(*service, at);
        service->balancer.checked(at, well);
        service->report_up();
        awake = co_await net::sleep_for(ms(service->policy.health_every_ms));
    }
}

asio::awaitable<bool> Services::State::is_well(const Service& service, std::size_t at) {
    Pool& pool = *service.pools[at];
    const url::Url& address = pool.address;
    Connection connection(context, watchdog);
    const Deadline to_connect{net::now() + ms(service.policy.connect_timeout_ms)};
    auto trouble = co_await connection.open(address, service.policy.authorities.get(), to_connect);
    if (trouble && !service.retired) pool.not_opened(connection.complaint());
    if (trouble) co_return false;
    pool.opened(connection);
    const std::string head = "GET " + address.target + service.policy.health_path + " HTTP/1.1\r\nHost: " + address.authority +
                             "\r\nVia: 1.1 millrace\r\nConnection: close\r\n\r\n";
    const Deadline limit{net::now() + ms(service.policy.timeout_ms)};
    const std::string_view no_body;
    trouble = co_await connection.send(head, no_body, limit);
    if (trouble) co_return false;
    const auto received = co_await connection.read_head(Method::get, service.policy, limit);
    co_return !received.trouble && received.head.status >= 200 && received.head.status < 300;
}

}  // namespace millrace::services
