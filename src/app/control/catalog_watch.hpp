// Looks from time to time at what Postgres tells nobody: roles and memberships, and where it has no event triggers also the
// schema, privileges and refreshes of materialized views.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/catalog.hpp"

namespace millrace::app {

// One thread (control); the blocking part runs on a thread of its own.
class CatalogWatch {
public:
    // `changed`: what was read before this pg_snapshot may no longer be answered. `every` zero: it looks at what catalog_read()
    // brings alone.
    CatalogWatch(boost::asio::io_context& control, std::string url, Duration every,
                 std::function<void(std::string_view snapshot)> changed);
    ~CatalogWatch();

    void start();
    void stop();
    void catalog_read(const catalog::Catalog& catalog);

private:
    void wait();
    void poll();
    void observe(const catalog::State& now);
    void tell(const std::vector<std::string>& tags, std::string snapshot);

    boost::asio::io_context& control_;
    boost::asio::thread_pool blocking_{1};
    boost::asio::steady_timer timer_;
    std::string url_;
    Duration every_;
    std::function<void(std::string_view)> changed_;
    catalog::State known_;
    bool ddl_watched_ = false, stopped_ = false;
};

}  // namespace millrace::app
