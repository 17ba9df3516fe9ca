// One connection from its socket to its end: commands out, replies matched in their order. Never reused once it is closed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "call.hpp"
#include "wire.hpp"

namespace millrace::redis {

class Connection : public std::enable_shared_from_this<Connection> {
public:
    struct Ears {
        std::function<void(std::string_view error)> error;  // that the server replied with; it may close the connection
        std::function<void(bool in_time)> answered;         // somebody who waited got a reply, or some have waited in vain
    };
    Connection(asio::io_context& context, events::Observer& observer, Ears ears);

    [[nodiscard]] Wire& wire() { return wire_; }           // to be opened, before anything is sent
    [[nodiscard]] asio::awaitable<std::string> receive();  // until it ends; why it did

    // All that is sent in one turn of the loop is written at once. `call` may be nothing: then the reply is only counted off.
    void send(std::string_view command, CallPointer call);
    // Is there no room for one more that somebody waits for, or for one that nobody does?
    [[nodiscard]] bool full(bool awaited) const;
    [[nodiscard]] bool closed() const { return wire_.closed(); }
    // Has this script gone through here, and was it not forgotten since? If not, from now on it has.
    [[nodiscard]] bool knows(const std::string& sha1);
    // Every call that is underway fails.
    void close(std::string reason);
    void silence() { observer_ = nullptr; }  // nothing is reported from here on

private:
    struct Underway {
        CallPointer call;
        TimePoint sent;
    };

    void write_soon();
    void write();
    [[nodiscard]] std::string take_replies();
    void settle(Underway underway, Value value, TimePoint now);
    void watch(TimePoint at);
    void look_at_deadlines();

    asio::io_context& context_;
    events::Observer* observer_;
    const Ears ears_;
    Wire wire_;
    std::string outbox_, writing_;
    bool write_pending_ = false;
    std::deque<Underway> underway_;
    std::vector<std::string> scripts_;  // that the server knows, as far as we know
    asio::steady_timer timer_;
    TimePoint watched_ = TimePoint::max();
};

}  // namespace millrace::redis
