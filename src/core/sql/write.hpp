// Inserts, updates and deletes as SQL.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// Appends the statement; `cells` stays empty when it returns no rows.
void append_write(Writer& out, const plan::Insert& insert, const Form& form, std::vector<OutputCell>& cells);
void append_write(Writer& out, const plan::Update& update, const Form& form, std::vector<OutputCell>& cells);
void append_write(Writer& out, const plan::Remove& remove, const Form& form, std::vector<OutputCell>& cells);

}  // namespace millrace::sql
