// Inserts, updates and deletes as SQL.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// How many rows an upsert added, as counted in its transaction; null when it had no rows.
constexpr std::string_view inserted_count = "nullif(current_setting('millrace.inserted', true), '')";
[[nodiscard]] bool counts_inserted(const plan::Insert& insert);

// Appends the statement; `cells` stays empty when it returns no rows.
void append_write(Writer& out, const plan::Insert& insert, const Form& form, std::vector<OutputCell>& cells);
void append_write(Writer& out, const plan::Update& update, const Form& form, std::vector<OutputCell>& cells);
void append_write(Writer& out, const plan::Remove& remove, const Form& form, std::vector<OutputCell>& cells);

}  // namespace millrace::sql
