// Connects to the next endpoint, gives the connection to those who ask for it, and tells when it comes and goes.
#include "node.hpp"

#include <utility>

namespace millrace::redis {

Node::Node(asio::io_context& context, Address address, events::Observer& observer, Tell tell)
    : Reconnecting(context, observer), address_(std::move(address)), observer_(observer), tell_(std::move(tell)) {}

asio::awaitable<std::string> Node::connect() {
    const auto attempt = std::make_shared<Connection>(context(), observer_);
    fresh_ = attempt;
    const Endpoint& to = address_.endpoints[endpoint_++ % address_.endpoints.size()];
    co_return co_await attempt->open(to, address_);
}

asio::awaitable<std::string> Node::live() {
    const auto through = std::exchange(fresh_, nullptr);
    connection_ = through;
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
    tell_(up, reason);
}

void Node::leave() {
    if (stopped()) return;
    for (const auto& one : {fresh_, connection_})
        if (one) one->silence();
    stop();
}

}  // namespace millrace::redis
