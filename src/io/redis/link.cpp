// Gives commands to the connection that is up, or to the node of a cluster where they belong; else they fail at once.
#include <utility>

#include "cluster.hpp"

namespace millrace::redis {
namespace {

asio::awaitable<Result<Value>> refuse(Error error) { co_return error; }

Error too_large() { return Error::of(Fault::internal, "The command is too large for Redis"); }

// The key that a script's command goes by.
std::optional<std::string_view> first_of(std::span<const std::string_view> keys) {
    if (keys.empty()) return std::nullopt;
    return keys.front();
}

}  // namespace

// Either one node or a cluster of them.
struct Link::State {
    State(asio::io_context& context, Address address, events::Observer& observer) {
        auto tell = [&observer](bool up, std::string_view reason) {
            observer.on(events::BackendUp{events::Backend::redis, up, reason});
        };
        if (address.topology == Topology::cluster) {
            cluster = std::make_shared<Cluster>(context, std::move(address), observer, std::move(tell));
        } else {
            only = std::make_shared<Node>(context, std::move(address), observer, Node::Ears{std::move(tell), {}});
        }
    }

    // The bytes are made here and not in a coroutine, so that the arguments need not outlive the call.
    template <class Key, class Make>
    asio::awaitable<Result<Value>> command(Key key, Make make, Deadline deadline) {
        Node* const node = only ? only.get() : cluster->node_for(key());
        if (node == nullptr) return refuse(redis_down());
        if (auto refused = refusal(*node, deadline)) return refuse(*std::move(refused));
        std::optional<Request> request = make();
        if (!request) return refuse(too_large());
        if (only) return answer_of(node->connection(), *std::move(request), deadline);
        return cluster->command(node->pointer(), *std::move(request), deadline);
    }

    template <class Key, class Make>
    void post(Key key, Make make) {
        Node* const node = only ? only.get() : cluster->node_for(key());
        if (node == nullptr || !node->up() || node->connection()->full(false)) return;
        if (const std::optional<Request> request = make()) send_to(*node->connection(), *request, nullptr);
    }

    std::shared_ptr<Node> only;
    std::shared_ptr<Cluster> cluster;
};

Link::Link(asio::io_context& context, Address address, events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(address), observer)) {}

Link::~Link() { stop(); }

void Link::start() {
    if (state_->only) return state_->only->start("redis link");
    state_->cluster->start("redis cluster");
}

bool Link::up() const { return state_->only ? state_->only->up() : state_->cluster->up(); }

void Link::stop() {
    if (state_->only) return state_->only->leave();
    state_->cluster->leave();
}

asio::awaitable<Result<Value>> Link::command(std::span<const std::string_view> arguments, Deadline deadline) {
    return state_->command([&] { return first_key(arguments); }, [&] { return request_of(arguments); }, deadline);
}

asio::awaitable<Result<Value>> Link::command(const Script& script, std::span<const std::string_view> keys,
                                             std::span<const std::string_view> arguments, Deadline deadline) {
    return state_->command([&] { return first_of(keys); }, [&] { return request_of(script, keys, arguments); }, deadline);
}

void Link::post(std::span<const std::string_view> arguments) {
    state_->post([&] { return first_key(arguments); }, [&] { return request_of(arguments); });
}

void Link::post(const Script& script, std::span<const std::string_view> keys, std::span<const std::string_view> arguments) {
    state_->post([&] { return first_of(keys); }, [&] { return request_of(script, keys, arguments); });
}

}  // namespace millrace::redis
