// Where to connect next: the endpoints in turn, or the master that sentinels name.
#pragma once

#include <functional>
#include <memory>

#include "wire.hpp"

namespace millrace::redis {

// One question on a connection of its own, within a limit.
[[nodiscard]] asio::awaitable<Result<Value>> ask(asio::io_context& context, const Endpoint& endpoint, const Address& address,
                                                 std::vector<std::string_view> words);

class Whereabouts {
public:
    Whereabouts(asio::io_context& context, const Address& address, events::Observer& observer);

    [[nodiscard]] asio::awaitable<Result<Endpoint>> next();
    // Is what answers there what it should be? Why it is not; nothing when it is.
    [[nodiscard]] asio::awaitable<std::string> verify(Wire& wire) const;
    // Calls when the sentinels have named another master; nothing to hear without sentinels.
    void watch(std::function<void()> moved);
    void stop_watching() { switches_.reset(); }
    [[nodiscard]] bool sentinels() const { return address_.topology == Topology::sentinel; }

private:
    asio::awaitable<Result<Endpoint>> master();

    asio::io_context& context_;
    const Address address_;
    const Address asked_;  // the sentinels, as servers of their own
    events::Observer& observer_;
    std::size_t turn_ = 0;  // of the endpoints
    std::unique_ptr<Subscription> switches_;
};

}  // namespace millrace::redis
