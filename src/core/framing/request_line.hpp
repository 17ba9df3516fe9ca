// The first line of a head.
#pragma once

#include <millrace/core/framing.hpp>
#include <string_view>

namespace millrace::framing {

struct RequestLine {
    std::string_view authority;     // of an absolute-form target, else empty
    std::string_view default_port;  // of its scheme
    std::size_t end = 0;            // behind its CRLF
};

// Reads the line that begins at `start` into `head`: method, target, version.
[[nodiscard]] Result<RequestLine> read_request_line(std::string_view text, std::size_t start, const Limits& limits, Head& head);

}  // namespace millrace::framing
