// Redis: one pipelined connection per worker. hiredis formats and parses, the socket is Asio's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
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

struct Address {
    std::string host = "127.0.0.1", unix_path, user, password;
    std::uint16_t port = 6379;
    int database = 0;
};
[[nodiscard]] Result<Address> parse_url(std::string_view url);

// Connects in the background with backoff; while it is down every command fails at once. One thread.
class Link {
public:
    Link(asio::io_context& context, Address address, events::Observer& observer);
    ~Link();
    void start();
    [[nodiscard]] bool up() const;
    // Commands of one loop turn are written together. A reply that is late is dropped when it comes; the link stays in step.
    [[nodiscard]] asio::awaitable<Result<Value>> command(std::span<const std::string_view> arguments, Deadline deadline);
    // Without waiting for its reply: for storing. Dropped when the link is down or its queue is full.
    void post(std::span<const std::string_view> arguments);
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace millrace::redis
