// The grammar of one media type (RFC 9110 §8.3.1).
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/request.hpp"

namespace millrace::request {

// Up to the separator, which does not count inside a quoted string; the rest begins behind it.
std::string_view take_until(std::string_view& rest, char separator);

struct Parameter {
    std::string name;        // lower case
    std::string_view value;  // without quotes
};
[[nodiscard]] Parameter read_parameter(std::string_view text);

}  // namespace millrace::request
