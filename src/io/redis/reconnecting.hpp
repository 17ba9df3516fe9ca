// Something that is connected again and again, with backoff, until it is stopped.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/core/events.hpp"
#include "millrace/io/net.hpp"

namespace millrace::redis {

namespace asio = boost::asio;

class Reconnecting : public std::enable_shared_from_this<Reconnecting> {
public:
    Reconnecting(asio::io_context& context, events::Observer& observer);
    virtual ~Reconnecting() = default;
    void start(std::string_view where);
    // Nothing that is told comes after it. What is open is shut in a later turn of the loop.
    void stop();
    [[nodiscard]] bool stopped() const { return stopped_; }

protected:
    // Both give the reason for their end; connect() nothing when it succeeded. It is cancelled when it takes too long.
    virtual asio::awaitable<std::string> connect() = 0;
    virtual asio::awaitable<std::string> live() = 0;
    virtual void ended(std::string_view reason) = 0;   // of each attempt; not after stop()
    virtual void shut(const std::string& reason) = 0;  // what is open or on its way up
    [[nodiscard]] asio::io_context& context() const { return context_; }
    [[nodiscard]] net::TaskGroup& tasks() { return *tasks_; }  // not after stop()

private:
    asio::awaitable<void> again_and_again();
    asio::awaitable<std::string> connect_in_time();

    asio::io_context& context_;
    std::optional<net::TaskGroup> tasks_;
    bool stopped_ = false;
};

}  // namespace millrace::redis
