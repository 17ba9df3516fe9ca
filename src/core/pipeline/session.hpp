// What a transaction is told of its request (PostgREST, "Transaction-scoped settings").
#pragma once

#include "millrace/core/auth.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

// Empty for an anonymous read that nothing of the request can change the rows of: it is one statement on a lane that already
// has the anonymous role. `needed`: it writes, or its relations look at the session.
[[nodiscard]] sql::Session session_of(const message::Request& request, const auth::Identity& identity, bool needed);

}  // namespace millrace::pipeline
