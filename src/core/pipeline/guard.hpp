// Conditions on writes: If-Match and If-None-Match of PATCH, PUT and DELETE (RFC 9110 §13.1).
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

[[nodiscard]] bool has_condition(const message::Request& request);

// A condition that cannot be checked must not be passed over: precondition_failed.
[[nodiscard]] Error uncheckable(std::string why);

// Puts the lock and the read of what is there now before the write, when the request makes a condition. `representation`: what
// a GET would be answered in. The work has its script.
[[nodiscard]] Result<void> add_guard(Work& work, const routes::Match& match, const message::Request& request,
                                     const representation::Representation& representation);

// What reply::verdict looks at, and the condition.
[[nodiscard]] std::optional<sql::Verdict> verdict(const Work& work);

// Does If-Match hold for what is there? (conditions.cpp)
[[nodiscard]] bool holds_if_match(std::string_view condition, std::string_view etag);

}  // namespace millrace::pipeline
