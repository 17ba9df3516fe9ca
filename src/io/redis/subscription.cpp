// Hears what is published: subscribes on a connection of its own, asks for a sign of life while it is quiet.
#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "reconnecting.hpp"
#include "wire.hpp"

namespace millrace::redis {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr Duration look_every = subscription_silence_max / 6;
constexpr Duration quiet_max = subscription_silence_max / 3;  // then we ask whether anybody is there

std::string command_of(std::string_view name, const std::vector<std::string>& arguments) {
    std::vector<std::string_view> words = {name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return format(words).value_or("");
}

}  // namespace

struct Subscription::State : Reconnecting {
    State(asio::io_context& io, Address to, std::vector<std::string> names, Messages tell, events::Observer& o)
        : Reconnecting(io, o), address(std::move(to)), channels(std::move(names)), messages(std::move(tell)) {}

    asio::awaitable<std::string> connect() override;
    asio::awaitable<std::string> live() override;
    void ended(std::string_view reason) override;
    void shut(const std::string& reason) override;

    asio::awaitable<std::string> hear();
    asio::awaitable<std::string> look();
    [[nodiscard]] std::string take(const Value& value);
    [[nodiscard]] std::string confirm(const Value& value);

    const Address address;
    const std::vector<std::string> channels;
    const Messages messages;
    std::size_t endpoint = 0;    // that is tried next
    std::shared_ptr<Wire> wire;  // or nothing yet
    std::size_t confirmed = 0;   // channels
    TimePoint begun, heard;      // the latter: anything at all
    bool told_lost = false;
};

asio::awaitable<std::string> Subscription::State::connect() {
    const auto attempt = std::make_shared<Wire>(context());
    wire = attempt;
    confirmed = 0;
    const Endpoint& to = address.endpoints[endpoint++ % address.endpoints.size()];
    co_return co_await attempt->open(to, address);
}

asio::awaitable<std::string> Subscription::State::live() {
    const auto through = wire;
    begun = heard = net::now();
    const std::string subscribe = command_of("SUBSCRIBE", channels);
    const auto [error, written] = co_await through->write(subscribe, use_tuple);
    if (error) co_return error.message();
    auto both = hear() || look();
    auto ended = co_await std::move(both);
    co_return ended.index() == 0 ? std::get<0>(std::move(ended)) : std::get<1>(std::move(ended));
}

asio::awaitable<std::string> Subscription::State::hear() {
    const auto through = wire;
    while (true) {
        const auto value = co_await through->receive();
        if (!value) co_return value.error().message;
        heard = net::now();
        std::string problem = take(*value);
        if (stopped()) co_return "stopped";
        if (!problem.empty()) co_return problem;
    }
}

// What is wrong with it; nothing when it fits.
std::string Subscription::State::take(const Value& value) {
    if (value.kind == ValueKind::error) return value.text;
    if (value.kind != ValueKind::array || value.items.empty()) return "a message is none of a subscription";
    const std::string& kind = value.items[0].text;
    if (kind == "pong") return "";
    if (value.items.size() != 3) return "a message is none of a subscription";
    if (kind == "subscribe") return confirm(value);
    if (kind != "message") return "a message is none of a subscription";
    messages.message(value.items[1].text, value.items[2].text);
    return "";
}

std::string Subscription::State::confirm(const Value& value) {
    if (std::ranges::find(channels, value.items[1].text) == channels.end()) return "a channel that nobody asked for";
    if (++confirmed != channels.size()) return "";
    told_lost = false;
    messages.subscribed();
    return "";
}

// Asks for a sign of life while nothing comes, and ends when none comes either.
asio::awaitable<std::string> Subscription::State::look() {
    const auto through = wire;
    const std::string ping = command_of("PING", {});
    TimePoint asked = TimePoint::min();
    while (true) {
        const bool slept = co_await net::sleep_for(look_every);
        if (!slept) co_return "stopped";
        const TimePoint now = net::now();
        if (now - heard >= subscription_silence_max - look_every) co_return "nothing was heard any more";
        if (confirmed < channels.size() && now - begun >= subscription_silence_max) co_return "it does not subscribe us";
        if (now - heard < quiet_max || asked >= heard) continue;
        asked = now;
        const auto [error, written] = co_await through->write(ping, use_tuple);
        if (error) co_return error.message();
    }
}

// Said once for each gap, not for each attempt to end it; the first failure to connect is told as well.
void Subscription::State::ended(std::string_view reason) {
    if (!std::exchange(told_lost, true)) messages.lost(reason);
}

void Subscription::State::shut(const std::string& reason) {
    if (wire) wire->close(reason);
}

Subscription::Subscription(asio::io_context& context, Address address, std::vector<std::string> channels, Messages messages,
                           events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(address), std::move(channels), std::move(messages), observer)) {}

Subscription::~Subscription() { stop(); }

void Subscription::start() { state_->start("redis subscription"); }

void Subscription::stop() { state_->stop(); }

}  // namespace millrace::redis
