// Connects: resolves, opens the socket, says who we are.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "connection.hpp"

namespace millrace::redis {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

struct Greeting {
    std::string bytes;
    std::vector<std::string_view> names;  // of each command that must succeed; nothing for one that need not
};

void add(Greeting& greeting, std::string_view name, std::initializer_list<std::string_view> arguments) {
    greeting.bytes += format(std::span(arguments.begin(), arguments.size())).value_or("");
    greeting.names.push_back(name);
}

Greeting greeting_of(const Address& address) {
    Greeting greeting;
    if (!address.user.empty()) {
        add(greeting, "AUTH", {"AUTH", address.user, address.password});
    } else if (!address.password.empty()) {
        add(greeting, "AUTH", {"AUTH", address.password});
    }
    const std::string database = std::to_string(address.database);
    if (address.database != 0) add(greeting, "SELECT", {"SELECT", database});
    add(greeting, "", {"CLIENT", "SETNAME", "millrace"});
    // Without a password, a server that wants one says so only when it is asked for something.
    add(greeting, "PING", {"PING"});
    return greeting;
}

}  // namespace

asio::awaitable<std::string> Connection::open(Address address) {
    const auto endpoints = co_await resolve(address);
    if (!endpoints) co_return endpoints.error().message;
    boost::system::error_code error = asio::error::host_not_found;
    for (const Endpoint& endpoint : *endpoints) {
        boost::system::error_code ignored;
        socket_.close(ignored);
        std::tie(error) = co_await socket_.async_connect(endpoint, use_tuple);
        if (!error || closed_) break;
    }
    if (closed_) co_return reason_;
    if (error) co_return error.message();
    if (address.unix_path.empty()) socket_.set_option(asio::ip::tcp::no_delay(true), error);
    co_return co_await greet(address);
}

asio::awaitable<Result<std::vector<Connection::Endpoint>>> Connection::resolve(const Address& address) {
    std::vector<Endpoint> endpoints;
    boost::system::error_code error;
    if (!address.unix_path.empty()) {
        endpoints.emplace_back(asio::local::stream_protocol::endpoint(address.unix_path));
        co_return endpoints;
    }
    const auto literal = asio::ip::make_address(address.host, error);
    if (!error) {
        endpoints.emplace_back(asio::ip::tcp::endpoint(literal, address.port));
        co_return endpoints;
    }
    asio::ip::tcp::resolver resolver(context_);
    const std::string port = std::to_string(address.port);
    const auto [failed, found] = co_await resolver.async_resolve(address.host, port, use_tuple);
    if (failed) co_return Error::of(Fault::internal, failed.message());
    for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
    co_return endpoints;
}

asio::awaitable<std::string> Connection::greet(const Address& address) {
    const Greeting greeting = greeting_of(address);
    const auto [write_error, written] = co_await asio::async_write(socket_, asio::buffer(greeting.bytes), use_tuple);
    if (write_error) co_return write_error.message();
    for (const std::string_view name : greeting.names) {
        auto value = reader_.next();
        while (!value) {
            if (reader_.broken()) co_return "its answer is no Redis protocol";
            const auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer_), use_tuple);
            if (error) co_return closed_ ? reason_ : error.message();
            if (reader_.feed({buffer_.data(), count})) value = reader_.next();
        }
        if (value->kind == ValueKind::error && !name.empty()) co_return std::string(name) + ": " + value->text;
    }
    co_return "";
}

}  // namespace millrace::redis
