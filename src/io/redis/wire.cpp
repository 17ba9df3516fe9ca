// Connects: resolves, opens the socket, says who we are.
#include "wire.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <utility>

namespace millrace::redis {
namespace {

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

asio::awaitable<std::string> Wire::open(const Endpoint& endpoint, const Address& address) {
    std::string problem = co_await connect(endpoint);
    if (problem.empty()) problem = co_await greet(address);
    if (closed_) co_return reason_;
    co_return problem;
}

asio::awaitable<std::string> Wire::connect(const Endpoint& endpoint) {
    const auto found = co_await resolve(endpoint);
    if (!found) co_return found.error().message;
    boost::system::error_code error = asio::error::host_not_found;
    for (const SocketEndpoint& to : *found) {
        boost::system::error_code ignored;
        socket_.close(ignored);
        std::tie(error) = co_await socket_.async_connect(to, use_tuple);
        if (!error || closed_) break;
    }
    if (closed_) co_return reason_;
    if (error) co_return error.message();
    if (endpoint.unix_path.empty()) socket_.set_option(asio::ip::tcp::no_delay(true), error);
    co_return "";
}

asio::awaitable<Result<std::vector<Wire::SocketEndpoint>>> Wire::resolve(const Endpoint& endpoint) {
    std::vector<SocketEndpoint> endpoints;
    boost::system::error_code error;
    if (!endpoint.unix_path.empty()) {
        endpoints.emplace_back(asio::local::stream_protocol::endpoint(endpoint.unix_path));
        co_return endpoints;
    }
    const auto literal = asio::ip::make_address(endpoint.host, error);
    if (!error) {
        endpoints.emplace_back(asio::ip::tcp::endpoint(literal, endpoint.port));
        co_return endpoints;
    }
    asio::ip::tcp::resolver resolver(context_);
    const std::string port = std::to_string(endpoint.port);
    const auto [failed, found] = co_await resolver.async_resolve(endpoint.host, port, use_tuple);
    if (failed) co_return Error::of(Fault::internal, failed.message());
    for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
    co_return endpoints;
}

asio::awaitable<std::string> Wire::greet(const Address& address) {
    const Greeting greeting = greeting_of(address);
    const auto [error, written] = co_await write(greeting.bytes, use_tuple);
    if (error) co_return error.message();
    for (const std::string_view name : greeting.names) {
        const auto value = co_await receive();
        if (!value) co_return value.error().message;
        if (value->kind == ValueKind::error && !name.empty()) co_return std::string(name) + ": " + value->text;
    }
    co_return "";
}

asio::awaitable<Result<Value>> Wire::receive() {
    auto value = next();
    while (!value) {
        if (broken()) co_return Error::of(Fault::internal, "its answer is no Redis protocol");
        const auto [error, count] = co_await read_some();
        if (error) co_return Error::of(Fault::internal, error.message());
        if (feed(count)) value = next();
    }
    co_return *std::move(value);
}

void Wire::close(std::string reason) {
    if (std::exchange(closed_, true)) return;
    reason_ = std::move(reason);
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace millrace::redis
