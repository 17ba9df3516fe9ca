// Where in the claims the role stands: a path like ".a.b[0]", "$.a['b c'][0]" or ".roles[?(@ == \"x\")]".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::auth {

// The first element of an array that is a string and compares so.
struct Match {
    enum class Kind : std::uint8_t { equals, differs, starts, ends, contains };
    Kind kind = Kind::equals;
    std::string text;
};
using PathStep = std::variant<std::string, std::size_t, Match>;

[[nodiscard]] std::optional<std::vector<PathStep>> read_role_path(std::string_view path);

// Nothing when the path leads nowhere.
[[nodiscard]] const nlohmann::json* follow(const nlohmann::json& claims, const std::vector<PathStep>& path);

}  // namespace millrace::auth
