// What a client is warned of.
#pragma once

#include <string>

#include "millrace/core/plan.hpp"

namespace millrace::pipeline {

// The value of Warning (RFC 7234, section 5.5); empty: none. PostgREST, "url-use-legacy-target-names".
[[nodiscard]] std::string warning_of(const plan::Plan& plan);

}  // namespace millrace::pipeline
