// Redis: pipelined commands and subscriptions. hiredis formats and parses, the socket is Asio's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"

namespace millrace::redis {

namespace asio = boost::asio;

enum class ValueKind : std::uint8_t { nil, string, integer, array, status, error };
struct Value {
    ValueKind kind = ValueKind::nil;
    std::string text;  // of string, status, error
    std::int64_t integer = 0;
    std::vector<Value> items;
};

// What stands behind a URL: one server, what sentinels call the master of a service, or a cluster.
enum class Topology : std::uint8_t { single, sentinel, cluster };
struct Endpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path;  // instead of host and port, when it is not empty
};
struct Tls;  // certificates and whom we expect, ready for use
struct Address {
    Topology topology = Topology::single;
    std::vector<Endpoint> endpoints = {Endpoint()};  // servers or sentinels to begin with; the next is tried when one fails
    std::string service;                             // by which the sentinels know the master
    std::string user, password;
    std::string sentinel_user, sentinel_password;
    int database = 0;
    bool encrypted = false;
    // Whoever would wait for a reply is refused for a while after so many in a row came too late; then one of them tries.
    std::uint64_t failures_max = 5;
    Duration left_alone_for = std::chrono::seconds(1);
    std::shared_ptr<Tls> tls;  // needed when encrypted; address_of() makes it
};
[[nodiscard]] Result<Address> parse_url(std::string_view url);
// The URL and the files that the settings name; reads the files.
[[nodiscard]] Result<Address> address_of(const config::RedisSettings& settings);

// A Lua script. The server is told its digest, and its source only when it does not know it yet.
struct Script {
    explicit Script(std::string text);
    std::string source, sha1;
};

// Connects in the background with backoff; while it is down, or late several times in a row, every command fails at once. One
// thread.
// In a cluster a command goes to the node of its first key: the word after its name, or after the number of keys for EVAL and
// EVALSHA; PUBLISH, PING, SCRIPT and what has one word go to any node.
class Link {
public:
    Link(asio::io_context& context, Address address, events::Observer& observer);
    ~Link();
    void start();
    [[nodiscard]] bool up() const;
    // Commands of one loop turn are written together. A reply that is late is dropped when it comes; the link stays in step.
    [[nodiscard]] asio::awaitable<Result<Value>> command(std::span<const std::string_view> arguments, Deadline deadline);
    [[nodiscard]] asio::awaitable<Result<Value>> command(const Script& script, std::span<const std::string_view> keys,
                                                         std::span<const std::string_view> arguments, Deadline deadline);
    // Without waiting for its reply: for storing. Dropped when the link is down or its queue is full.
    void post(std::span<const std::string_view> arguments);
    void post(const Script& script, std::span<const std::string_view> keys, std::span<const std::string_view> arguments);
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

// What a subscription tells, on its loop. A callback may stop or destroy the subscription.
struct Messages {
    std::function<void(std::string_view channel, std::string_view payload)> message;
    std::function<void()> subscribed;                   // to every channel, at first and after each loss
    std::function<void(std::string_view reason)> lost;  // what is published from here until subscribed() is missed
};

// A connection of its own that hears what is published; connects in the background with backoff, for ever. A peer that is dead
// without a word is noticed within subscription_silence_max. One thread.
inline constexpr Duration subscription_silence_max = std::chrono::seconds(3);
class Subscription {
public:
    Subscription(asio::io_context& context, Address address, std::vector<std::string> channels, Messages messages,
                 events::Observer& observer);
    ~Subscription();
    void start();
    void stop();  // no callback is called any more

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace millrace::redis
