// One connection to a server, kept up.
#pragma once

#include <functional>

#include "connection.hpp"
#include "reconnecting.hpp"

namespace millrace::redis {

class Node : public Reconnecting {
public:
    // `tell` hears of each change between up and down, and of the first failure.
    using Tell = std::function<void(bool up, std::string_view reason)>;
    Node(asio::io_context& context, Address address, events::Observer& observer, Tell tell);

    // Nothing when it is down.
    [[nodiscard]] const std::shared_ptr<Connection>& connection() const { return connection_; }
    [[nodiscard]] bool up() const { return connection_ && !connection_->closed() && !stopped(); }
    // Those who wait are told in a later turn, when the connection is shut; nothing is sent or told from here on.
    void leave();

private:
    asio::awaitable<std::string> connect() override;
    asio::awaitable<std::string> live() override;
    void ended(std::string_view reason) override { report(false, reason); }
    void shut(const std::string& reason) override;
    void report(bool up, std::string_view reason);

    const Address address_;
    events::Observer& observer_;  // not to be used after leave()
    const Tell tell_;
    std::size_t endpoint_ = 0;                // that is tried next
    std::shared_ptr<Connection> fresh_;       // on its way up
    std::shared_ptr<Connection> connection_;  // up
    std::optional<bool> told_;
};

}  // namespace millrace::redis
