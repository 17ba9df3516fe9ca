// Bodies that can be written while their rows come, one kind each.
#pragma once

#include <memory>

#include "millrace/core/reply.hpp"

namespace millrace::reply {

[[nodiscard]] std::unique_ptr<RowWriter> json_writer(const sql::Script& script, bool nulls_stripped);
[[nodiscard]] std::unique_ptr<RowWriter> csv_writer(const sql::Script& script);

}  // namespace millrace::reply
