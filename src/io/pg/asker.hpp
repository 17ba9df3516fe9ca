// One connection for short questions that several coroutines ask in turn, each within a time.
#pragma once

#include <string>
#include <vector>

#include "connection.hpp"
#include "millrace/io/net.hpp"

namespace millrace::pg {

class Asker {
public:
    explicit Asker(asio::io_context& context) : connection_(context), freed_(context) {}

    [[nodiscard]] asio::awaitable<Result<void>> open(const std::string& url, const std::string& setup);
    // The cells of the first row; "" for null, none for no row. After an error the connection is closed.
    [[nodiscard]] asio::awaitable<Result<std::vector<std::string>>> ask(std::string sql, Duration within = default_within);
    void close() { connection_.close(); }

    static constexpr Duration default_within = std::chrono::seconds(5);

private:
    Connection connection_;
    net::Signal freed_;
    bool busy_ = false;
};

}  // namespace millrace::pg
