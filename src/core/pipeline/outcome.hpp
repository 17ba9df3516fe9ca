// What a transaction said about its own answer (PostgREST, "Transaction-Scoped Settings": response.headers, response.status).
#pragma once

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

// `outcome` is the row of Script::outcome. Fails with bad_response_headers or bad_response_status.
[[nodiscard]] Result<void> apply_outcome(const sql::Rows& outcome, message::Reply& reply);

}  // namespace millrace::pipeline
