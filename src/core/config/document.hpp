// The text of a configuration file as JSON, with what is wrong with its syntax.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/config.hpp"

namespace millrace::config {

struct Document {
    std::optional<nlohmann::ordered_json> root;  // an object; nothing when it cannot be read
    std::vector<Problem> problems;
};

[[nodiscard]] Document parse_document(std::string_view text, const std::string& file);

}  // namespace millrace::config
