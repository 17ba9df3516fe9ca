// What POST /cache/purge asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/admin.hpp"
#include "millrace/core/base.hpp"

namespace millrace::app {

// Exactly one of {"tags":[…]}, {"route":"v1/products"}, {"version":"v1"} and {"all":true}, and "hard" besides.
[[nodiscard]] Result<PurgeOrder> parse_purge(std::string_view body);

}  // namespace millrace::app
