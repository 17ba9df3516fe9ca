// What bulletins go through, and whose turn it is to write them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"

namespace millrace::app {

namespace asio = boost::asio;

// On the control thread. What is heard from subscribed() to lost() is all that was published meanwhile, in order, or else a
// number is missing in it.
class Channel {
public:
    struct Ears {
        std::function<void()> subscribed;
        std::function<void(std::string_view text)> heard;  // one's own bulletins too
        std::function<void(std::string_view reason)> lost;
    };

    virtual ~Channel() = default;
    virtual void start(Ears ears) = 0;
    virtual void stop() = 0;

    // Takes the turn or keeps it; it ends by itself when it is not kept. It saves replicas from quarrelling over the slot:
    // that bulletins of two announcers are told apart is the terms' part, and does not depend on it.
    [[nodiscard]] virtual asio::awaitable<bool> my_turn() = 0;
    virtual asio::awaitable<void> end_turn() = 0;
    // Higher than any before it and than `highest`; 0 when there is none to be had.
    [[nodiscard]] virtual asio::awaitable<std::uint64_t> next_term(std::uint64_t highest) = 0;
    [[nodiscard]] virtual asio::awaitable<bool> publish(std::string text) = 0;  // false: perhaps nobody hears it
};

// Of one process alone.
[[nodiscard]] std::unique_ptr<Channel> local_channel();
// Of all that share a Redis and a key prefix; a turn ends when it was not kept for so long.
[[nodiscard]] std::unique_ptr<Channel> redis_channel(asio::io_context& context, const config::RedisSettings& settings,
                                                     Duration turn, events::Observer& observer);

}  // namespace millrace::app
