// Keeps one connection up, again and again with backoff, and gives commands to it; while there is none they fail at once.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <utility>

#include "connection.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/net.hpp"

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr Duration connect_max = 2s;
constexpr Duration steady_after = 1s;  // a connection that lived as long was a good one: the next attempt is made soon

}  // namespace

struct Link::State : std::enable_shared_from_this<Link::State> {
    State(asio::io_context& io, Address to, events::Observer& o)
        : context(io), address(std::move(to)), observer(&o), tasks(std::in_place, io, o) {}

    asio::awaitable<void> keep_connected();
    asio::awaitable<std::string> connect(std::shared_ptr<Connection> fresh);
    void report(bool up, std::string_view reason);

    asio::io_context& context;
    Address address;
    events::Observer* observer;  // nothing once the link is gone
    std::optional<net::TaskGroup> tasks;
    std::shared_ptr<Connection> fresh;       // on its way up
    std::shared_ptr<Connection> connection;  // up
    std::optional<bool> reported;
    bool stopped = false;
};

asio::awaitable<void> Link::State::keep_connected() {
    const auto self = shared_from_this();
    policy::Backoff backoff(50ms, 2s);
    std::minstd_rand random(std::random_device{}());
    std::uniform_real_distribution<double> uniform(0, 1);
    while (!stopped) {
        fresh = std::make_shared<Connection>(context, *observer);
        std::string reason = co_await connect(fresh);
        const TimePoint since = net::now();
        if (reason.empty() && !stopped) {
            connection = fresh;
            report(true, "");
            reason = co_await connection->receive();
            connection.reset();
            if (net::now() - since >= steady_after) backoff.reset();
        }
        fresh->close(reason);
        report(false, reason);
        if (!stopped) co_await net::sleep_for(backoff.next(uniform(random)));
    }
}

// Why it did not succeed; nothing when it did.
asio::awaitable<std::string> Link::State::connect(std::shared_ptr<Connection> attempt) {
    auto opened = attempt->open(address);
    auto limit = net::sleep_for(connect_max);
    auto either = std::move(opened) || std::move(limit);
    auto first = co_await std::move(either);
    if (first.index() == 1) co_return "no connection within two seconds";
    co_return std::get<0>(std::move(first));
}

void Link::State::report(bool up, std::string_view reason) {
    if (observer == nullptr || reported == up) return;
    reported = up;
    observer->on(events::BackendUp{events::Backend::redis, up, reason});
}

Link::Link(asio::io_context& context, Address address, events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(address), observer)) {}

Link::~Link() { stop(); }

void Link::start() {
    if (!state_->stopped) state_->tasks->spawn("redis link", state_->keep_connected());
}

bool Link::up() const { return state_->connection && !state_->connection->closed(); }

// Cancels first and closes in a later turn: Boost 1.81 forwards a cancellation that comes from outside the loop as a posted
// pointer to the task, so the task must not end before it arrives.
void Link::stop() {
    if (std::exchange(state_->stopped, true)) return;
    state_->observer = nullptr;
    state_->tasks.reset();
    for (const auto& connection : {state_->fresh, state_->connection}) {
        if (!connection) continue;
        connection->silence();
        asio::post(state_->context, [connection] { connection->close("stopped"); });
    }
    state_->connection.reset();
}

namespace {

asio::awaitable<Result<Value>> refuse(Error error) { co_return error; }

asio::awaitable<Result<Value>> answer_of(std::shared_ptr<Connection> connection, std::string command, Deadline deadline) {
    auto call = std::make_shared<Call>();
    call->deadline = deadline;
    connection->send(std::move(command), call);
    co_await until_answered(call);
    co_return *std::move(call->answer);
}

}  // namespace

// The bytes are made here and not in the coroutine, so that the arguments need not outlive the call.
asio::awaitable<Result<Value>> Link::command(std::span<const std::string_view> arguments, Deadline deadline) {
    const auto& connection = state_->connection;
    if (!up()) return refuse(redis_down());
    if (connection->full(true)) return refuse(Error::of(Fault::overloaded, "Too many commands wait for Redis"));
    if (deadline.passed(net::now())) return refuse(Error::of(Fault::deadline_passed));
    auto command = format(arguments);
    if (!command) return refuse(Error::of(Fault::internal, "The command is too large for Redis"));
    return answer_of(connection, *std::move(command), deadline);
}

void Link::post(std::span<const std::string_view> arguments) {
    const auto& connection = state_->connection;
    if (!up() || connection->full(false)) return;
    if (auto command = format(arguments)) connection->send(*std::move(command), nullptr);
}

}  // namespace millrace::redis
