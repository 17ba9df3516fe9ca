// The header fields that say that a version is on its way out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/core/routes.hpp"

namespace millrace::routes {

[[nodiscard]] std::vector<std::pair<std::string_view, std::string>> version_headers(const RouteTable& table);

}  // namespace millrace::routes
