// The authority in a Host field or in an absolute-form target.
#pragma once

#include <string_view>

namespace millrace::framing {

// uri-host [":" port] of RFC 3986 §3.2.2, not empty, without userinfo and without comma.
[[nodiscard]] bool valid_host(std::string_view host);

// Do both name the same authority, when an absent port is the scheme's?
[[nodiscard]] bool same_host(std::string_view a, std::string_view b, std::string_view default_port);

}  // namespace millrace::framing
