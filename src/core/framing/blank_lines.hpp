// Empty lines before a request line, which some clients send after a body (RFC 9112 §2.2).
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::framing {

inline constexpr int blank_lines_max = 2;

// Where the request line begins.
[[nodiscard]] inline std::size_t skip_blank_lines(std::string_view head) {
    std::size_t at = 0;
    for (int i = 0; i < blank_lines_max && head.substr(at, 2) == "\r\n"; ++i) at += 2;
    return at;
}

}  // namespace millrace::framing
