// base64url without padding (RFC 7515 §2), strict: one text for one sequence of bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::auth {

[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

// A secret that a person wrote: either alphabet, padding or none.
[[nodiscard]] std::optional<std::string> decode_base64_secret(std::string_view text);

}  // namespace millrace::auth
