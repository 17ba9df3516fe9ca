// One connection to a server, kept up.
#pragma once

#include <functional>

#include "connection.hpp"
#include "millrace/core/policy.hpp"
#include "reconnecting.hpp"
#include "whereabouts.hpp"

namespace millrace::redis {

using Tell = std::function<void(bool up, std::string_view reason)>;

class Node : public Reconnecting {
public:
    struct Ears {
        Tell state;                                   // each change between up and down, and the first failure
        std::function<void(std::string_view)> error;  // each error that the server replies with; or nothing
    };
    Node(asio::io_context& context, Address address, events::Observer& observer, Ears ears);
    [[nodiscard]] policy::Breaker& breaker() { return breaker_; }  // of those who wait for replies

    // Nothing when it is down.
    [[nodiscard]] const std::shared_ptr<Connection>& connection() const { return connection_; }
    [[nodiscard]] bool up() const { return connection_ && !connection_->closed() && !stopped(); }
    [[nodiscard]] std::shared_ptr<Node> pointer() { return std::static_pointer_cast<Node>(shared_from_this()); }
    [[nodiscard]] const Endpoint& endpoint() const { return address_.endpoints.front(); }
    [[nodiscard]] asio::awaitable<void> until_up(Deadline deadline);
    // Those who wait are told in a later turn, when the connection is shut; nothing is sent or told from here on.
    void leave();

private:
    asio::awaitable<std::string> connect() override;
    asio::awaitable<std::string> live() override;
    void ended(std::string_view reason) override { report(false, reason); }
    void shut(const std::string& reason) override;
    void heed(std::string_view error);
    void demoted(std::string_view why);
    void hear(bool in_time);
    void report_breaker();
    void report(bool up, std::string_view reason);

    const Address address_;
    events::Observer& observer_;  // not to be used after leave()
    const Ears ears_;
    Whereabouts whereabouts_;
    net::Signal changed_;
    std::shared_ptr<Connection> fresh_;       // on its way up
    std::shared_ptr<Connection> connection_;  // up
    std::optional<bool> told_;
    policy::Breaker breaker_;
    bool reported_open_ = false;
};

}  // namespace millrace::redis
