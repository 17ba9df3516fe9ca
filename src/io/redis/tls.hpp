// TLS to a Redis: certificates that were read once, and the name that the peer must prove.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"

namespace millrace::redis {

struct Tls {
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
    std::string server_name;  // empty: the host of the URL
};

[[nodiscard]] Result<std::shared_ptr<Tls>> tls_of(const config::RedisSettings& settings);

}  // namespace millrace::redis
