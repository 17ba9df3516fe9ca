// Errors of taking a key and of keeping its answer.
#pragma once

#include "millrace/core/sql.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// Not an error of the request's own statements, nor of what COMMIT runs.
[[nodiscard]] bool is_of_key(const sql::Script& script, const pg::Timing& timing);

}  // namespace millrace::app
