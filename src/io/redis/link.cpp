// Keeps one connection up, again and again with backoff, and gives commands to it; while there is none they fail at once.
#include <utility>

#include "connection.hpp"
#include "reconnecting.hpp"

namespace millrace::redis {

struct Link::State : Reconnecting {
    State(asio::io_context& io, Address to, events::Observer& o) : Reconnecting(io, o), address(std::move(to)), observer(o) {}

    asio::awaitable<std::string> connect() override;
    asio::awaitable<std::string> live() override;
    void ended(std::string_view reason) override { report(false, reason); }
    void shut(const std::string& reason) override;
    void report(bool up, std::string_view reason);

    const Address address;
    events::Observer& observer;              // not to be used after stop()
    std::size_t endpoint = 0;                // that is tried next
    std::shared_ptr<Connection> fresh;       // on its way up
    std::shared_ptr<Connection> connection;  // up
    std::optional<bool> reported;
};

asio::awaitable<std::string> Link::State::connect() {
    const auto attempt = std::make_shared<Connection>(context(), observer);
    fresh = attempt;
    const Endpoint& to = address.endpoints[endpoint++ % address.endpoints.size()];
    co_return co_await attempt->open(to, address);
}

asio::awaitable<std::string> Link::State::live() {
    connection = std::exchange(fresh, nullptr);
    report(true, "");
    const auto through = connection;
    std::string reason = co_await through->receive();
    co_return reason;
}

void Link::State::shut(const std::string& reason) {
    for (const auto& one : {std::exchange(fresh, nullptr), std::exchange(connection, nullptr)})
        if (one) one->close(reason);
}

void Link::State::report(bool up, std::string_view reason) {
    if (reported == up) return;
    reported = up;
    observer.on(events::BackendUp{events::Backend::redis, up, reason});
}

Link::Link(asio::io_context& context, Address address, events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(address), observer)) {}

Link::~Link() { stop(); }

void Link::start() { state_->start("redis link"); }

bool Link::up() const { return state_->connection && !state_->connection->closed() && !state_->stopped(); }

// Those who wait are told in a later turn, when the connection is shut; nothing is sent or reported from here on.
void Link::stop() {
    if (state_->stopped()) return;
    for (const auto& connection : {state_->fresh, state_->connection})
        if (connection) connection->silence();
    state_->stop();
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
