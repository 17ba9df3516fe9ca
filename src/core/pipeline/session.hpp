// What a transaction is told of its request (PostgREST, "Transaction-scoped settings").
#pragma once

#include "millrace/core/auth.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

// Empty for an anonymous read of relations without row security: such a read is one statement on a lane that already has the
// anonymous role.
[[nodiscard]] sql::Session session_of(const message::Request& request, const auth::Identity& identity,
                                      const routes::Resource& resource, bool writes);

}  // namespace millrace::pipeline
