// The steps from a header to an identity.
#pragma once

#include <optional>
#include <string_view>

#include "millrace/core/auth.hpp"

namespace millrace::auth {

// The token after "Bearer" in any case (RFC 9110 §11.1); nothing for other schemes, which mean nothing here.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view header);

// Signature and claims.
[[nodiscard]] Result<Identity> judge(std::string_view token, const Keys& keys, const config::AuthSettings& settings,
                                     WallTime now);

}  // namespace millrace::auth
