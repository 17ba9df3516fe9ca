// CSV bodies.
#pragma once

#include <string_view>

#include "millrace/core/request.hpp"

namespace millrace::request {

[[nodiscard]] Result<Payload> read_csv(std::string_view text);

}  // namespace millrace::request
