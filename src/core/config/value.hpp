// The present value of a setting, as JSON and as a person would write it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "setting.hpp"

namespace millrace::config {

[[nodiscard]] nlohmann::ordered_json value_of(const Setting& setting, Settings& settings);
[[nodiscard]] std::string to_text(const Listen& listen);  // "127.0.0.1:8080", "[::1]:8080"

}  // namespace millrace::config
