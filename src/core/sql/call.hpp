// Calls of functions as SQL.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// What stands after FROM: the function's rows under the root's alias. Where it returns no rows, its value is a row of the one
// column routes::scalar_column.
void append_call_source(Writer& out, const plan::Call& call);

// Appends the statement. With a count of rows that a window may cut off, the total comes with the rows, since the function
// must run once: false when there is none, and the number of rows is the total.
[[nodiscard]] bool append_call(Writer& out, const plan::Call& call, const Form& form, std::vector<OutputCell>& cells);

}  // namespace millrace::sql
