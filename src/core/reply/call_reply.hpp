// The answer to a call.
#pragma once

#include "millrace/core/reply.hpp"

namespace millrace::reply {

[[nodiscard]] Result<message::Reply> from_call(const Shape& shape, const sql::Script& script, const sql::Results& results);

// Too many rows for the request; before the commit when the call may have changed something.
[[nodiscard]] Result<void> check_call(const Shape& shape, const sql::Script& script, const sql::Results& results);

}  // namespace millrace::reply
