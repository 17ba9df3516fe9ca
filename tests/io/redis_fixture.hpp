// What tests of the Redis link and of subscriptions share: a link with its loop, and a server that lies.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <vector>

#include "millrace/io/net.hpp"
#include "millrace/io/redis.hpp"
#include "running.hpp"

namespace millrace::redis::test {

using namespace std::chrono_literals;
using asio::ip::tcp;
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

class Witness : public support::RecordingObserver {
public:
    void on(const events::Event& event) override {
        RecordingObserver::on(event);
        if (const auto* up = std::get_if<events::BackendUp>(&event)) reasons.emplace_back(up->reason);
    }
    std::vector<std::string> reasons;
};

inline Deadline within(Duration duration) { return {net::now() + duration}; }

// Stops things as a worker does, on the loop, and lets what they were doing end.
template <class Stop>
void end(asio::io_context& context, Stop stop) {
    asio::post(context, stop);
    context.restart();
    context.run_for(1s);
}

// A link and the loop that it lives on.
struct Linked {
    asio::io_context context{1};
    Witness observer;
    net::TaskGroup tasks{context, observer};
    Link link;

    explicit Linked(const std::string& url) : link(context, parse_url(url).value(), observer) { link.start(); }
    ~Linked() {
        end(context, [this] { link.stop(), tasks.cancel(); });
    }

    template <class Condition>
    bool until(Condition condition, Duration timeout = 10s) {
        return support::run_while_not(context, condition, timeout);
    }
    bool until_up() {
        return until([this] { return link.up(); });
    }
    Result<Value> command(std::vector<std::string_view> arguments, Duration timeout = 5s) {
        return support::run_until(context, link.command(arguments, within(timeout)));
    }
};

// Sends every byte string it was given, one for each thing that comes in, to every client.
class FakeServer {
public:
    FakeServer(asio::io_context& context, net::TaskGroup& tasks, std::vector<std::string> answers)
        : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), answers_(std::move(answers)) {
        tasks.spawn("accept", accept(tasks));
    }
    [[nodiscard]] Address address() const {
        Address address;
        address.endpoints.front().port = acceptor_.local_endpoint().port();
        return address;
    }
    std::vector<std::string> received;

private:
    asio::awaitable<void> accept(net::TaskGroup& tasks) {
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(await_tuple);
            if (error) co_return;
            tasks.spawn("serve", serve(std::move(socket)));
        }
    }
    asio::awaitable<void> serve(tcp::socket socket) {
        std::array<char, 65'536> buffer;
        for (const std::string& answer : answers_) {
            const auto [error, count] = co_await socket.async_read_some(asio::buffer(buffer), await_tuple);
            if (error) co_return;
            received.emplace_back(buffer.data(), count);
            const auto [failed, written] = co_await asio::async_write(socket, asio::buffer(answer), await_tuple);
            if (failed) co_return;
        }
        (void)co_await socket.async_read_some(asio::buffer(buffer), await_tuple);
    }

    tcp::acceptor acceptor_;
    std::vector<std::string> answers_;
};

inline const std::string greeting_answer = "+OK\r\n+PONG\r\n";

struct Faked {
    asio::io_context context{1};
    Witness observer;
    net::TaskGroup tasks{context, observer};
    FakeServer server;
    Link link;

    explicit Faked(std::vector<std::string> answers)
        : server(context, tasks, std::move(answers)), link(context, server.address(), observer) {
        link.start();
    }
    ~Faked() {
        end(context, [this] { link.stop(), tasks.cancel(); });
    }
    template <class Condition>
    bool until(Condition condition, Duration timeout = 10s) {
        return support::run_while_not(context, condition, timeout);
    }
};

}  // namespace millrace::redis::test
