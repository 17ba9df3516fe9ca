// Where to connect: the URL's parameters with host names already resolved.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"

namespace millrace::pg {

namespace asio = boost::asio;

using Parameters = std::vector<std::pair<std::string, std::string>>;  // libpq's keywords and their values

// libpq resolves names in its own thread of control, which would stop the loop; so they are resolved here and handed over as
// hostaddr, one entry per address.
[[nodiscard]] asio::awaitable<Result<Parameters>> resolve(const std::string& url);

}  // namespace millrace::pg
