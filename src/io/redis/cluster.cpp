// Keeps the map of slots and a connection to each master, and sends commands where they belong.
#include "cluster.hpp"

#include <algorithm>
#include <utility>

#include "whereabouts.hpp"

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t members_max = 1'000;
constexpr int redirects_max = 4;
constexpr Duration map_age_max = 10s;
constexpr Duration broken_map_age_max = 1s;  // while a node is down: another may have taken its place
constexpr Duration map_age_min = 100ms;      // however often somebody says that it is wrong

bool same(const Endpoint& a, const Endpoint& b) { return a.host == b.host && a.port == b.port; }

}  // namespace

Cluster::Cluster(asio::io_context& context, Address address, events::Observer& observer, Tell tell)
    : Reconnecting(context, observer),
      address_(std::move(address)),
      observer_(observer),
      tell_(std::move(tell)),
      owners_(slot_count, nullptr),
      changed_(context) {}

bool Cluster::up() const {
    return std::ranges::any_of(members_, [](const Member& member) { return member.node->up(); });
}

Node* Cluster::node_for(std::optional<std::string_view> key) const {
    if (key) return owners_[slot_of(*key)];
    const auto any = std::ranges::find_if(members_, [](const Member& member) { return member.node->up(); });
    return any == members_.end() ? nullptr : any->node.get();
}

asio::awaitable<Result<Value>> Cluster::command(std::shared_ptr<Node> node, Request request, Deadline deadline) {
    const auto self = shared_from_this();
    bool asking = false;
    for (int redirects = 0;; ++redirects) {
        if (auto refused = refusal(*node, deadline)) co_return *std::move(refused);
        if (asking) node->connection()->send("*1\r\n$6\r\nASKING\r\n", nullptr);
        auto reply = co_await answer_of(node->connection(), request, deadline);
        if (!reply || reply->kind != ValueKind::error || redirects == redirects_max || stopped()) co_return reply;
        const auto redirect = read_redirect(reply->text, node->endpoint());
        Node* const next = redirect ? member(redirect->to) : nullptr;
        if (next == nullptr) co_return reply;
        asking = redirect->once;
        node = next->pointer();
        co_await node->until_up(deadline);
    }
}

asio::awaitable<std::string> Cluster::connect() { return learn(); }

asio::awaitable<std::string> Cluster::live() {
    while (true) {
        co_await net::sleep_for(map_age_min);
        const Deadline old{net::now() + (whole() ? map_age_max : broken_map_age_max)};
        if (!outdated_) co_await changed_.wait(old);
        std::string problem = co_await learn();
        if (!problem.empty()) co_return problem;
    }
}

// Asks one after another for the map; why none gave it, or nothing.
asio::awaitable<std::string> Cluster::learn() {
    outdated_ = false;
    std::string why = "nobody to ask";
    const std::vector<Endpoint> candidates = whom_to_ask();
    for (const Endpoint& candidate : candidates) {
        std::vector<std::string_view> words = {"CLUSTER", "SLOTS"};
        const auto reply = co_await ask(context(), candidate, address_, std::move(words));
        if (stopped()) co_return "stopped";
        const auto ranges = reply ? read_slots(*reply, candidate) : Result<std::vector<SlotRange>>(reply.error());
        if (ranges) {
            apply(*ranges);
            co_return "";
        }
        why = ranges.error().message;
    }
    co_return "no node tells the map of slots: " + why;
}

// The nodes that are up, then those of the URL, beginning with another one each time.
std::vector<Endpoint> Cluster::whom_to_ask() {
    std::vector<Endpoint> candidates;
    for (const Member& member : members_)
        if (member.node->up()) candidates.push_back(member.endpoint);
    const std::size_t first = turn_++;
    for (std::size_t i = 0; i < address_.endpoints.size(); ++i)
        candidates.push_back(address_.endpoints[(first + i) % address_.endpoints.size()]);
    return candidates;
}

void Cluster::apply(const std::vector<SlotRange>& ranges) {
    std::ranges::fill(owners_, nullptr);
    std::vector<Node*> named;
    for (const SlotRange& range : ranges) {
        Node* const node = member(range.master);
        named.push_back(node);
        std::fill(owners_.begin() + range.first, owners_.begin() + range.last + 1, node);
    }
    const auto unnamed = [&named](const Member& member) {
        if (std::ranges::find(named, member.node.get()) != named.end()) return false;
        member.node->leave();
        return true;
    };
    std::erase_if(members_, unnamed);
    if (whole()) report(true, "");
    if (std::ranges::find(owners_, nullptr) != owners_.end()) report(false, "some slots have no node");
}

bool Cluster::whole() const {
    const bool covered = std::ranges::find(owners_, nullptr) == owners_.end();
    return covered && std::ranges::all_of(members_, [](const Member& member) { return member.node->up(); });
}

// The node at an endpoint; one that is new is connected to. Nothing beyond the bound.
Node* Cluster::member(const Endpoint& endpoint) {
    const auto known = std::ranges::find_if(members_, [&](const Member& member) { return same(member.endpoint, endpoint); });
    if (known != members_.end()) return known->node.get();
    if (members_.size() >= members_max) return nullptr;
    Address address = address_;
    address.topology = Topology::single;
    address.endpoints = {endpoint};
    const auto weak = std::weak_ptr(std::static_pointer_cast<Cluster>(shared_from_this()));
    Node::Ears ears;
    ears.state = [weak, endpoint](bool up, std::string_view reason) {
        if (const auto self = weak.lock()) self->heard(endpoint, up, reason);
    };
    ears.error = [weak, endpoint](std::string_view error) {
        if (const auto self = weak.lock()) self->heed(endpoint, error);
    };
    auto node = std::make_shared<Node>(context(), std::move(address), observer_, std::move(ears));
    node->start("redis node");
    members_.push_back({endpoint, node});
    return node.get();
}

// A slot that moved is sent to its new place from here on, and the rest is asked for.
void Cluster::heed(const Endpoint& from, std::string_view error) {
    if (stopped()) return;
    const auto redirect = read_redirect(error, from);
    if (redirect && redirect->once) return;
    if (redirect) owners_[redirect->slot] = member(redirect->to);
    if (redirect || error.starts_with("CLUSTERDOWN")) relearn();
}

void Cluster::heard(const Endpoint& from, bool up, std::string_view reason) {
    if (stopped()) return;
    if (!up) {
        relearn();
        return report(false, from.host + ':' + std::to_string(from.port) + ": " + std::string(reason));
    }
    if (whole()) report(true, "");
}

void Cluster::relearn() {
    outdated_ = true;
    changed_.notify_all();
}

void Cluster::report(bool up, std::string_view reason) {
    if (stopped() || told_ == up) return;
    told_ = up;
    tell_(up, reason);
}

void Cluster::leave() {
    if (stopped()) return;
    for (const Member& member : members_) member.node->leave();
    stop();
}

}  // namespace millrace::redis
