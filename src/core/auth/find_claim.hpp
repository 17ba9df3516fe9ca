// Claims by name or by path.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace millrace::auth {

// A member's name, or a path that begins with '.' or '$'; nothing when it is not there.
[[nodiscard]] const nlohmann::json* find_claim(const nlohmann::json& claims, const std::string& claim);

}  // namespace millrace::auth
