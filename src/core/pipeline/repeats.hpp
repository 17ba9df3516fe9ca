// Writes with an Idempotency-Key.
#pragma once

#include "millrace/core/plan.hpp"
#include "session.hpp"

namespace millrace::pipeline {

// Lets a repeat of the request find the answer of the first one, when it has a key that its route honours. `session` is that of
// the work's script, which is still to be rendered.
[[nodiscard]] Result<void> allow_repeats(Work& work, sql::Session& session, const Caller& caller);

}  // namespace millrace::pipeline
