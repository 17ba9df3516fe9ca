// Conditions on a relation's own columns as SQL.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// t0."data", or (t0."data"->$1->>$2) with a path into its JSON.
void append_field(Writer& out, Alias alias, const plan::Field& field);

void append_condition(Writer& out, Alias alias, const plan::Condition& condition);

}  // namespace millrace::sql
