// Where to connect: the URL's parameters with host names already resolved.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"

namespace millrace::pg {

namespace asio = boost::asio;

using Parameters = std::vector<std::pair<std::string, std::string>>;  // libpq's keywords and their values

// Of a URL with several hosts the one that takes writes is meant, unless it says otherwise (target_session_attrs).
inline constexpr const char* attributes_of_several = "read-write";
[[nodiscard]] bool names_several_hosts(const Parameters& parameters);

// Appends to a connection string of keywords and values.
void append_parameter(std::string& out, std::string_view keyword, std::string_view value);

// libpq resolves names in its own thread of control, which would stop the loop; so they are resolved here and handed over as
// hostaddr, one entry per address.
[[nodiscard]] asio::awaitable<Result<Parameters>> resolve(const std::string& url);

}  // namespace millrace::pg
