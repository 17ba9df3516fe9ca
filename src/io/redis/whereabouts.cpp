// Takes the endpoints in turn, or asks the sentinels for the master and the master whether it is one.
#include "whereabouts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>
#include <utility>

#include "millrace/io/net.hpp"

namespace millrace::redis {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr Duration ask_max = std::chrono::milliseconds(500);

Error problem(std::string what) { return Error::of(Fault::internal, std::move(what)); }

Address sentinels_of(const Address& address) {
    Address sentinels = address;
    sentinels.topology = Topology::single;
    sentinels.user = address.sentinel_user;
    sentinels.password = address.sentinel_password;
    sentinels.database = 0;
    return sentinels;
}

asio::awaitable<Result<Value>> dialogue(Wire& wire, const Endpoint& endpoint, const Address& address, std::string command) {
    std::string why = co_await wire.open(endpoint, address);
    if (!why.empty()) co_return problem(std::move(why));
    const auto [error, written] = co_await wire.write(command, use_tuple);
    if (error) co_return problem(error.message());
    co_return co_await wire.receive();
}

// The host and port of SENTINEL GET-MASTER-ADDR-BY-NAME.
Result<Endpoint> read_master(const Value& reply) {
    if (reply.kind == ValueKind::nil) return problem("the sentinel does not know the service");
    if (reply.kind == ValueKind::error) return problem(reply.text);
    if (reply.items.size() != 2) return problem("the sentinel's answer makes no sense");
    Endpoint master;
    master.host = reply.items[0].text;
    const std::string& port = reply.items[1].text;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), master.port);
    if (error != std::errc{} || end != port.data() + port.size() || master.port == 0 || master.host.empty())
        return problem("the sentinel's answer makes no sense");
    return master;
}

asio::awaitable<Result<Endpoint>> at(Endpoint endpoint) { co_return endpoint; }

}  // namespace

asio::awaitable<Result<Value>> ask(asio::io_context& context, const Endpoint& endpoint, const Address& address,
                                   std::vector<std::string_view> words) {
    Wire wire(context);
    auto command = format(words).value_or("");
    auto asked = dialogue(wire, endpoint, address, std::move(command));
    auto limit = net::sleep_for(ask_max);
    auto either = std::move(asked) || std::move(limit);
    auto first = co_await std::move(either);
    if (first.index() == 1) co_return problem("no answer within half a second");
    co_return std::get<0>(std::move(first));
}

Whereabouts::Whereabouts(asio::io_context& context, const Address& address, events::Observer& observer)
    : context_(context), address_(address), asked_(sentinels_of(address)), observer_(observer) {}

asio::awaitable<Result<Endpoint>> Whereabouts::next() {
    if (sentinels()) return master();
    return at(address_.endpoints[turn_++ % address_.endpoints.size()]);
}

// The one that answered last is asked first.
asio::awaitable<Result<Endpoint>> Whereabouts::master() {
    std::string why;
    for (std::size_t tried = 0; tried < asked_.endpoints.size(); ++tried, ++turn_) {
        const Endpoint& sentinel = asked_.endpoints[turn_ % asked_.endpoints.size()];
        std::vector<std::string_view> words = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", address_.service};
        const auto reply = co_await ask(context_, sentinel, asked_, std::move(words));
        if (reply) {
            auto named = read_master(*reply);
            if (named) co_return named;
            why = named.error().message;
        } else {
            why = reply.error().message;
        }
    }
    co_return problem("no sentinel names the master: " + why);
}

asio::awaitable<std::string> Whereabouts::verify(Wire& wire) const {
    if (!sentinels()) co_return "";
    const std::array<std::string_view, 1> words = {"ROLE"};
    const std::string command = format(words).value_or("");
    const auto [error, written] = co_await wire.write(command, use_tuple);
    if (error) co_return error.message();
    const auto role = co_await wire.receive();
    if (!role) co_return role.error().message;
    if (role->kind == ValueKind::error) co_return "ROLE: " + role->text;
    const bool master = !role->items.empty() && role->items[0].text == "master";
    co_return master ? "" : "it is not the master any more";
}

void Whereabouts::watch(std::function<void()> moved) {
    if (!sentinels() || switches_) return;
    Messages messages;
    messages.message = [moved = std::move(moved), service = address_.service + ' '](std::string_view, std::string_view what) {
        if (what.starts_with(service)) moved();
    };
    messages.subscribed = [] {};
    messages.lost = [](std::string_view) {};
    switches_ = std::make_unique<Subscription>(context_, asked_, std::vector<std::string>{"+switch-master"},
                                               std::move(messages), observer_);
    switches_->start();
}

}  // namespace millrace::redis
