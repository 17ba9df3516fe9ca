// Hands connections out and takes them back.
#include "service.hpp"

#include <algorithm>
#include <utility>

namespace millrace::services {
namespace {

constexpr std::size_t waiting_per_connection = 4;
constexpr Duration idle_max = std::chrono::seconds(30);

}  // namespace

// Leaves the queue however the wait ends; a slot that came too late goes to the next one.
struct Pool::Waiting {
    explicit Waiting(Pool& p) : pool(p), waiter(p.context_) {
        pool.waiters_.push_back(&waiter);
        pool.report_->changed(&events::ServiceChanged::waiting, 1);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        std::erase(pool.waiters_, &waiter);
        pool.report_->changed(&events::ServiceChanged::waiting, -1);
        if (waiter.granted && !taken) pool.release();
    }
    Pool& pool;
    Waiter waiter;
    bool taken = false;
};

Pool::Pool(asio::io_context& context, url::Url where, std::uint64_t connections_max, std::shared_ptr<const Report> report)
    : address(std::move(where)), context_(context), connections_max_(connections_max), report_(std::move(report)) {}

asio::awaitable<Pool::Slot> Pool::acquire(Deadline deadline) {
    const auto self = shared_from_this();
    if (!full()) {
        ++used_;
        report_->changed(&events::ServiceChanged::used, 1);
        co_return Slot(self);
    }
    if (waiters_.size() >= connections_max_ * waiting_per_connection) co_return Slot();
    Waiting waiting(*self);
    while (!waiting.waiter.granted) {
        const bool woken = co_await waiting.waiter.woken.wait(deadline);
        if (!woken) break;
    }
    if (!waiting.waiter.granted) co_return Slot();
    waiting.taken = true;
    co_return Slot(self);
}

void Pool::release() {
    if (waiters_.empty()) {
        --used_;
        report_->changed(&events::ServiceChanged::used, -1);
        return;
    }
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    next->granted = true;
    next->woken.notify_all();
}

std::unique_ptr<Connection> Pool::take_idle() {
    while (!idle_.empty()) {
        auto last = std::move(idle_.back());
        idle_.pop_back();
        if (last->wake()) return last;
    }
    return nullptr;
}

void Pool::keep(std::unique_ptr<Connection> connection) {
    if (retired_ || idle_.size() >= connections_max_) return;
    connection->rest({net::now() + idle_max});
    idle_.push_back(std::move(connection));
}

void Pool::retire() {
    retired_ = true;
    idle_.clear();
}

void Pool::opened(Connection& connection) {
    unreachable_.clear();
    connection.count(report_);
}

void Pool::not_opened(const std::string& why) {
    if (why == unreachable_) return;
    unreachable_ = why;
    report_->unreachable(address.text, why);
}

Service::Service(asio::io_context& context, const routes::UpstreamPolicy& how, const config::LimitSettings& limits,
                 std::shared_ptr<const Report> to)
    : policy(how),
      report(std::move(to)),
      balancer(how.urls.size(), static_cast<unsigned>(limits.breaker_failures_max),
               std::chrono::milliseconds(limits.breaker_open_ms)),
      budget(limits.retry_budget_percent) {
    for (const std::string& url : policy.urls)
        pools.push_back(
            std::make_shared<Pool>(context, url::parse_base(url).value_or(url::Url{}), policy.connections_max, report));
    report->changed(&events::ServiceChanged::addresses, static_cast<int>(pools.size()));
    report_up();
}

void Service::report_up() {
    int up = 0;
    for (std::size_t at = 0; at < balancer.size(); ++at) up += !retired && balancer.up(at) ? 1 : 0;
    if (up != up_) report->changed(&events::ServiceChanged::up, up - up_);
    up_ = up;
}

void Service::retire() {
    if (retired) return;
    retired = true;
    for (const auto& pool : pools) pool->retire();
    report_up();
    report->changed(&events::ServiceChanged::addresses, -static_cast<int>(pools.size()));
}

}  // namespace millrace::services
