// A body that Postgres made.
#pragma once

#include "millrace/core/message.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::reply {

// The second cell of main's only row; empty when it is null.
[[nodiscard]] message::Body finished_body(const sql::Script& script, const sql::Rows& rows);

}  // namespace millrace::reply
