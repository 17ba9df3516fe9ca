// One socket to a server, from connecting to closing, and the reader of what comes out of it. Never opened twice.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <vector>

#include "codec.hpp"

namespace millrace::redis {

inline constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

class Wire {
public:
    explicit Wire(asio::io_context& context) : context_(context), socket_(context) {}

    // Connects and says who we are. Why that did not succeed; nothing when the server takes our commands.
    [[nodiscard]] asio::awaitable<std::string> open(const Endpoint& endpoint, const Address& address);

    // Reads once and feeds the reader; nothing when that went well, else what is wrong.
    [[nodiscard]] auto read_some() { return socket_.async_read_some(asio::buffer(buffer_), use_tuple); }
    [[nodiscard]] bool feed(std::size_t count) { return reader_.feed({buffer_.data(), count}); }
    [[nodiscard]] std::optional<Value> next() { return reader_.next(); }
    [[nodiscard]] bool broken() const { return reader_.broken(); }

    template <class Token>
    auto write(std::string_view bytes, Token&& token) {
        return asio::async_write(socket_, asio::buffer(bytes), std::forward<Token>(token));
    }
    // The next reply, for a dialogue in which each word waits for its answer.
    [[nodiscard]] asio::awaitable<Result<Value>> receive();

    void close(std::string reason);  // only the first reason counts
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    using Socket = asio::generic::stream_protocol::socket;
    using SocketEndpoint = asio::generic::stream_protocol::endpoint;

    asio::awaitable<Result<std::vector<SocketEndpoint>>> resolve(const Endpoint& endpoint);
    asio::awaitable<std::string> connect(const Endpoint& endpoint);
    asio::awaitable<std::string> greet(const Address& address);

    asio::io_context& context_;
    Socket socket_;
    Reader reader_;
    std::array<char, 32 * 1024> buffer_;
    bool closed_ = false;
    std::string reason_;
};

}  // namespace millrace::redis
