// Refusals with the challenge that RFC 6750 §3 asks for.
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/base.hpp"

namespace millrace::auth {

[[nodiscard]] inline Error refused(Fault fault, std::string_view message, std::string_view details = {}) {
    Error error = Error::of(fault, std::string(message));
    if (!details.empty()) error.details = std::string(details);
    std::string challenge = "Bearer error=\"invalid_token\", error_description=\"";
    challenge += message;
    return std::move(error).with_header("WWW-Authenticate", challenge += '"');
}

}  // namespace millrace::auth
