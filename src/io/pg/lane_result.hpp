// What libpq hands over, as core's values.
#pragma once

#include "connection.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pg {

[[nodiscard]] sql::Rows to_rows(ResultPointer result);
[[nodiscard]] DatabaseMessage to_message(const PGresult* result);

// Postgres is ending this connection (57P01 … 57P03): what it says is about the connection, not about the statement.
[[nodiscard]] bool ends_connection(const PGresult* result);

// The transaction may not write: it was begun so, or the server is a standby.
[[nodiscard]] bool is_read_only(const PGresult* result);

// A prepared statement is not there any more, or its result's type has changed: it can be prepared anew.
[[nodiscard]] bool statement_is_gone(const PGresult* result);

}  // namespace millrace::pg
