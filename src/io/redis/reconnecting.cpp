// Connects, lets live, waits a little, connects again.
#include "reconnecting.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <utility>

#include "millrace/core/policy.hpp"

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr Duration connect_max = 2s;
constexpr Duration steady_after = 1s;  // a connection that lived as long was a good one: the next attempt is made soon

}  // namespace

Reconnecting::Reconnecting(asio::io_context& context, events::Observer& observer)
    : context_(context), tasks_(std::in_place, context, observer) {}

void Reconnecting::start(std::string_view where) {
    if (!stopped_) tasks_->spawn(where, again_and_again());
}

asio::awaitable<void> Reconnecting::again_and_again() {
    const auto self = shared_from_this();
    policy::Backoff backoff(50ms, 2s);
    std::minstd_rand random(std::random_device{}());
    std::uniform_real_distribution<double> uniform(0, 1);
    while (!stopped_) {
        std::string reason = co_await connect_in_time();
        if (reason.empty() && !stopped_) {
            const TimePoint since = net::now();
            reason = co_await live();
            if (net::now() - since >= steady_after) backoff.reset();
        }
        shut(reason);
        if (!stopped_) ended(reason);
        if (!stopped_) co_await net::sleep_for(backoff.next(uniform(random)));
    }
}

asio::awaitable<std::string> Reconnecting::connect_in_time() {
    auto connected = connect();
    auto limit = net::sleep_for(connect_max);
    auto either = std::move(connected) || std::move(limit);
    auto first = co_await std::move(either);
    if (first.index() == 1) co_return "no connection within two seconds";
    co_return std::get<0>(std::move(first));
}

// Cancels first and closes in a later turn: Boost 1.81 forwards a cancellation that comes from outside the loop as a posted
// pointer to the task, so the task must not end before it arrives.
void Reconnecting::stop() {
    if (std::exchange(stopped_, true)) return;
    tasks_.reset();
    asio::post(context_, [self = shared_from_this()] { self->shut("stopped"); });
}

}  // namespace millrace::redis
