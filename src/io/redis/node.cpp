// Connects to the next endpoint, gives the connection to those who ask for it, and tells when it comes and goes.
#include "node.hpp"

#include <utility>

namespace millrace::redis {

Node::Node(asio::io_context& context, Address address, events::Observer& observer, Ears ears)
    : Reconnecting(context, observer),
      address_(std::move(address)),
      observer_(observer),
      ears_(std::move(ears)),
      whereabouts_(context, address_, observer),
      changed_(context),
      breaker_(static_cast<unsigned>(address_.failures_max), address_.left_alone_for) {}

asio::awaitable<std::string> Node::connect() {
    auto moved = [weak = std::weak_ptr(pointer())] {
        if (const auto self = weak.lock()) self->demoted("the sentinels have named another master");
    };
    whereabouts_.watch(std::move(moved));
    const auto to = co_await whereabouts_.next();
    if (!to) co_return to.error().message;
    // A connection is closed before its node goes.
    Connection::Ears ears{[this](std::string_view error) { heed(error); }, [this](bool in_time) { hear(in_time); }};
    const auto attempt = std::make_shared<Connection>(context(), observer_, std::move(ears));
    fresh_ = attempt;
    std::string problem = co_await attempt->wire().open(*to, address_);
    if (problem.empty()) problem = co_await whereabouts_.verify(attempt->wire());
    co_return problem;
}

// A master that became a replica refuses writes, and what it serves grows old.
void Node::heed(std::string_view error) {
    if (whereabouts_.sentinels() && error.starts_with("READONLY")) demoted("it is not the master any more");
    if (ears_.error && !stopped()) ears_.error(error);
}

// One that is up and slow: nobody waits for it any more, but for a probe now and then.
void Node::hear(bool in_time) {
    if (in_time)
        breaker_.succeeded();
    else
        breaker_.failed(net::now());
    report_breaker();
}

void Node::report_breaker() {
    if (stopped() || reported_open_ == breaker_.open()) return;
    reported_open_ = breaker_.open();
    observer_.on(events::BreakerChanged{events::Backend::redis, reported_open_});
}

void Node::demoted(std::string_view why) {
    if (connection_) connection_->close(std::string(why));
}

asio::awaitable<void> Node::until_up(Deadline deadline) {
    const auto self = shared_from_this();
    while (!up() && !stopped() && !deadline.passed(net::now())) co_await changed_.wait(deadline);
}

asio::awaitable<std::string> Node::live() {
    const auto through = std::exchange(fresh_, nullptr);
    connection_ = through;
    breaker_.reset();
    report_breaker();
    changed_.notify_all();
    report(true, "");
    co_return co_await through->receive();
}

void Node::shut(const std::string& reason) {
    for (const auto& one : {std::exchange(fresh_, nullptr), std::exchange(connection_, nullptr)})
        if (one) one->close(reason);
}

void Node::report(bool up, std::string_view reason) {
    if (told_ == up) return;
    told_ = up;
    ears_.state(up, reason);
}

void Node::leave() {
    if (stopped()) return;
    for (const auto& one : {fresh_, connection_})
        if (one) one->silence();
    whereabouts_.stop_watching();
    stop();
    changed_.notify_all();
}

}  // namespace millrace::redis
