// Fields that are one connection's and go no further (RFC 9110 §7.6.1).
#pragma once

#include <string_view>
#include <vector>

namespace millrace::upstream {

// `named`: what Connection lists.
[[nodiscard]] bool ends_here(std::string_view field, const std::vector<std::string_view>& named);
void append_list(std::vector<std::string_view>& out, std::string_view value);  // "a, b"

inline constexpr std::string_view via = "1.1 millrace";

}  // namespace millrace::upstream
