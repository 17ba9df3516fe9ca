// The one replica that reads the slot and tells the others.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "channel.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/feed.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One thread (control). Whenever it is this replica's turn it reads the slot and announces what comes, until something fails;
// then it is anybody's turn. The slot is confirmed only as far as bulletins were accepted by the channel.
class Announcing {
public:
    // `highest_term`: that this replica has heard of.
    Announcing(boost::asio::io_context& context, pg::SlotSettings slot, Channel& channel, Duration turn,
               std::function<std::uint64_t()> highest_term, events::Observer& observer);

    [[nodiscard]] asio::awaitable<void> live();  // until it is cancelled

private:
    [[nodiscard]] asio::awaitable<std::string> hold_turn();
    [[nodiscard]] asio::awaitable<std::string> announce();
    [[nodiscard]] asio::awaitable<std::string> pass_on(pg::SlotReader& reader, feed::Announcer& announcer);
    [[nodiscard]] asio::awaitable<bool> publish(feed::Bulletin bulletin);
    void tell(bool announcing, const std::string& reason);

    boost::asio::io_context& context_;
    pg::SlotSettings slot_;
    Channel& channel_;
    Duration turn_;
    std::function<std::uint64_t()> highest_term_;
    events::Observer& observer_;
    policy::Backoff backoff_;
    std::minstd_rand random_{std::random_device{}()};
    bool announcing_ = false;
    std::string told_;
};

}  // namespace millrace::app
