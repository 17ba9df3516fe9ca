// Purges, off every thread that serves.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "millrace/core/base.hpp"

namespace millrace::app {

// One thread (control); Postgres is asked on a thread of its own.
class Purger {
public:
    Purger(boost::asio::io_context& control, std::string url) : control_(control), url_(std::move(url)) {}

    // The xid of the purge, once it has committed. One after the other; 503 when too many wait.
    [[nodiscard]] boost::asio::awaitable<Result<std::string>> purge(std::vector<std::string> tags);
    void stop() { blocking_.join(); }

private:
    boost::asio::io_context& control_;
    boost::asio::thread_pool blocking_{1};
    std::string url_;
    unsigned waiting_ = 0;
};

}  // namespace millrace::app
