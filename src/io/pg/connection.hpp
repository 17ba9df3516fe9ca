// One libpq connection on Asio: opened without blocking, closed in the order that the reactor needs.
#pragma once

#include <libpq-fe.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "connection_target.hpp"
#include "millrace/core/base.hpp"

namespace millrace::pg {

struct ClearResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, ClearResult>;

class Connection {
public:
    enum class Use : std::uint8_t { sql, replication };  // replication: of slots; takes SQL in the simple protocol too
    explicit Connection(asio::io_context& context, Use use = Use::sql) : socket_(context), use_(use) {}
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Connects and runs `setup` in the simple protocol. The error's details say what happened; they are for the log.
    [[nodiscard]] asio::awaitable<Result<void>> open(const std::string& url, const std::string& setup, Duration timeout);

    // Runs SQL in the simple protocol, outside of pipeline mode; the first cell of the last statement ("" for none).
    [[nodiscard]] asio::awaitable<Result<std::string>> command(std::string sql);
    // The same, with the whole result of the last statement; COPY BOTH begins where its result is returned.
    [[nodiscard]] asio::awaitable<Result<ResultPointer>> query(std::string sql);
    [[nodiscard]] asio::awaitable<Result<void>> flush();

    void close();
    [[nodiscard]] PGconn* get() const { return connection_.get(); }
    [[nodiscard]] asio::posix::stream_descriptor& socket() { return socket_; }
    [[nodiscard]] std::string error() const;  // libpq's last message without the line end

private:
    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };

    asio::awaitable<Result<void>> greet(std::string url, std::string setup);
    asio::awaitable<Result<void>> handshake();
    asio::awaitable<void> readable_or_writable(bool reading);
    void attach();
    void detach();

    std::unique_ptr<PGconn, Finish> connection_;
    asio::posix::stream_descriptor socket_;
    Use use_;
};

}  // namespace millrace::pg
