// The nodes of a cluster, one connection to each master, and the map that says which of them a command goes to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node.hpp"
#include "request.hpp"
#include "slots.hpp"

namespace millrace::redis {

class Cluster : public Reconnecting {
public:
    Cluster(asio::io_context& context, Address address, events::Observer& observer, Tell tell);

    [[nodiscard]] bool up() const;  // does any node take commands?
    // The node for a key, or any that is up; nothing when there is none.
    [[nodiscard]] Node* node_for(std::optional<std::string_view> key) const;
    // Follows redirects, a few of them, until the deadline.
    [[nodiscard]] asio::awaitable<Result<Value>> command(std::shared_ptr<Node> node, Request request, Deadline deadline);
    void leave();

private:
    // Its connection is the map: it is asked for again and again while it lives.
    asio::awaitable<std::string> connect() override;
    asio::awaitable<std::string> live() override;
    void ended(std::string_view reason) override { report(false, reason); }
    void shut(const std::string&) override {}

    asio::awaitable<std::string> learn();
    [[nodiscard]] std::vector<Endpoint> whom_to_ask();
    void apply(const std::vector<SlotRange>& ranges);
    Node* member(const Endpoint& endpoint);
    void heed(const Endpoint& from, std::string_view error);
    void heard(const Endpoint& from, bool up, std::string_view reason);
    void relearn();
    [[nodiscard]] bool whole() const;  // every slot has a node, and every node is up
    void report(bool up, std::string_view reason);

    struct Member {
        Endpoint endpoint;
        std::shared_ptr<Node> node;
    };
    const Address address_;
    events::Observer& observer_;  // not to be used after leave()
    const Tell tell_;
    std::vector<Member> members_;
    std::vector<Node*> owners_;  // of each slot; nothing where it is not known
    net::Signal changed_;        // the map is not right any more
    bool outdated_ = false;
    std::size_t turn_ = 0;  // of the endpoints of the URL
    std::optional<bool> told_;
};

}  // namespace millrace::redis
