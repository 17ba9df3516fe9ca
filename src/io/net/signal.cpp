// Waiting on one thread: for a time, or for somebody's wake.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include <millrace/io/net.hpp>

namespace millrace::net {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

struct Waiter {
    explicit Waiter(asio::io_context& context) : timer(context) {}
    asio::steady_timer timer;
    bool woken = false;
};

// A waiter of the list that leaves it however its coroutine ends.
class Place {
public:
    Place(std::list<Waiter*>& list, Waiter& waiter) : list_(list), at_(list.insert(list.end(), &waiter)) {}
    ~Place() { list_.erase(at_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

private:
    std::list<Waiter*>& list_;
    std::list<Waiter*>::iterator at_;
};

}  // namespace

asio::awaitable<bool> sleep_for(Duration duration) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, duration);
    const auto [error] = co_await timer.async_wait(use_tuple);
    co_return !error;
}

struct Signal::State {
    explicit State(asio::io_context& io) : context(io) {}
    asio::io_context& context;
    std::list<Waiter*> waiters;
};

Signal::Signal(asio::io_context& context) : state_(std::make_shared<State>(context)) {}

Signal::~Signal() { notify_all(); }

void Signal::notify_all() {
    for (Waiter* waiter : state_->waiters) {
        waiter->woken = true;
        waiter->timer.cancel();
    }
}

asio::awaitable<bool> Signal::wait(Deadline deadline) {
    const auto state = state_;
    Waiter waiter(state->context);
    const Place place(state->waiters, waiter);
    waiter.timer.expires_at(deadline.at);
    co_await waiter.timer.async_wait(use_tuple);
    co_return waiter.woken;
}

}  // namespace millrace::net
