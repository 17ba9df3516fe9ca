// The channel of many replicas: Redis' publish and subscribe, and a key with a time to live for whose turn it is.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include "channel.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration answer_max = 2s;

// The turn is whose name it holds; taking and keeping it are one step. Names of keys share one slot of a cluster.
constexpr std::string_view take_turn = R"lua(
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1)lua";
constexpr std::string_view leave_turn = R"lua(
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1)lua";
// The number may have been lost with the rest of Redis: it goes on from the highest that anybody has heard of.
constexpr std::string_view take_term = R"lua(
local last = tonumber(redis.call('get', KEYS[1]) or '0')
local term = math.max(last, tonumber(ARGV[1])) + 1
redis.call('set', KEYS[1], string.format('%.0f', term))
return term)lua";

std::string a_name() {
    std::random_device random;
    return std::to_string(random()) + '-' + std::to_string(random());
}

redis::Address where(const config::RedisSettings& settings) {
    auto address = redis::address_of(settings);
    return address ? std::move(*address) : redis::Address();  // the configuration was checked: it is one
}

class RedisChannel final : public Channel {
public:
    RedisChannel(boost::asio::io_context& context, const config::RedisSettings& settings, Duration turn,
                 events::Observer& observer)
        : context_(context),
          address_(where(settings)),
          base_('{' + settings.key_prefix + ":decoding}:"),
          turn_ms_(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(turn).count())),
          name_(a_name()),
          observer_(observer),
          link_(context, address_, observer) {}

    void start(Ears ears) override {
        redis::Messages messages;
        messages.subscribed = ears.subscribed;
        messages.lost = ears.lost;
        messages.message = [heard = ears.heard](std::string_view, std::string_view payload) { heard(payload); };
        link_.start();
        subscription_.emplace(context_, address_, std::vector{base_ + "bulletins"}, std::move(messages), observer_);
        subscription_->start();
    }

    // The turn goes at once, so that the next one need not wait for its end.
    void stop() override {
        if (subscription_) subscription_->stop();
        const std::string key = base_ + "turn";
        const std::array<std::string_view, 5> script = {"EVAL", leave_turn, "1", key, name_};
        link_.post(script);
    }

    asio::awaitable<bool> my_turn() override {
        const std::string key = base_ + "turn";
        const std::array<std::string_view, 6> script = {"EVAL", take_turn, "1", key, name_, turn_ms_};
        const auto taken = co_await ask(script);
        co_return taken == 1;
    }

    asio::awaitable<void> end_turn() override {
        const std::string key = base_ + "turn";
        const std::array<std::string_view, 5> script = {"EVAL", leave_turn, "1", key, name_};
        co_await ask(script);
    }

    asio::awaitable<std::uint64_t> next_term(std::uint64_t highest) override {
        const std::string key = base_ + "term", least = std::to_string(highest);
        const std::array<std::string_view, 5> script = {"EVAL", take_term, "1", key, least};
        const auto term = co_await ask(script);
        co_return static_cast<std::uint64_t>(std::max<std::int64_t>(term, 0));
    }

    // Whether Redis took it; how many hear it does not matter, for each of them knows what it misses.
    asio::awaitable<bool> publish(std::string text) override {
        const std::string channel = base_ + "bulletins";
        const std::array<std::string_view, 3> command = {"PUBLISH", channel, text};
        const auto heard = co_await ask(command);
        co_return heard >= 0;
    }

private:
    // The integer that is answered; -1 when there is none.
    asio::awaitable<std::int64_t> ask(std::span<const std::string_view> command) {
        const Deadline deadline{net::now() + answer_max};
        const auto value = co_await link_.command(command, deadline);
        if (!value || value->kind != redis::ValueKind::integer) co_return -1;
        co_return value->integer;
    }

    boost::asio::io_context& context_;
    redis::Address address_;
    std::string base_, turn_ms_, name_;
    events::Observer& observer_;
    redis::Link link_;
    std::optional<redis::Subscription> subscription_;
};

}  // namespace

std::unique_ptr<Channel> redis_channel(boost::asio::io_context& context, const config::RedisSettings& settings, Duration turn,
                                       events::Observer& observer) {
    return std::make_unique<RedisChannel>(context, settings, turn, observer);
}

}  // namespace millrace::app
