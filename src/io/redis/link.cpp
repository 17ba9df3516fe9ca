// Gives commands to the connection that is up; while there is none they fail at once.
#include <utility>

#include "node.hpp"
#include "request.hpp"

namespace millrace::redis {

struct Link::State {
    State(asio::io_context& context, Address address, events::Observer& observer)
        : node(std::make_shared<Node>(context, std::move(address), observer, [&observer](bool up, std::string_view reason) {
              observer.on(events::BackendUp{events::Backend::redis, up, reason});
          })) {}
    ~State() { node->leave(); }

    const std::shared_ptr<Node> node;
};

Link::Link(asio::io_context& context, Address address, events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(address), observer)) {}

Link::~Link() { stop(); }

void Link::start() { state_->node->start("redis link"); }

bool Link::up() const { return state_->node->up(); }

void Link::stop() { state_->node->leave(); }

namespace {

asio::awaitable<Result<Value>> refuse(Error error) { co_return error; }

Error too_large() { return Error::of(Fault::internal, "The command is too large for Redis"); }

template <class Make>
asio::awaitable<Result<Value>> command_on(const Node& node, Make make, Deadline deadline) {
    if (auto refused = refusal(node, deadline)) return refuse(*std::move(refused));
    std::optional<Request> request = make();
    if (!request) return refuse(too_large());
    return answer_of(node.connection(), *std::move(request), deadline);
}

template <class Make>
void post_on(const Node& node, Make make) {
    if (!node.up() || node.connection()->full(false)) return;
    if (const std::optional<Request> request = make()) send_to(*node.connection(), *request, nullptr);
}

}  // namespace

// The bytes are made here and not in a coroutine, so that the arguments need not outlive the call.
asio::awaitable<Result<Value>> Link::command(std::span<const std::string_view> arguments, Deadline deadline) {
    return command_on(
        *state_->node, [&] { return request_of(arguments); }, deadline);
}

asio::awaitable<Result<Value>> Link::command(const Script& script, std::span<const std::string_view> keys,
                                             std::span<const std::string_view> arguments, Deadline deadline) {
    return command_on(
        *state_->node, [&] { return request_of(script, keys, arguments); }, deadline);
}

void Link::post(std::span<const std::string_view> arguments) {
    post_on(*state_->node, [&] { return request_of(arguments); });
}

void Link::post(const Script& script, std::span<const std::string_view> keys, std::span<const std::string_view> arguments) {
    post_on(*state_->node, [&] { return request_of(script, keys, arguments); });
}

}  // namespace millrace::redis
