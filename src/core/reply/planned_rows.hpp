// How many rows Postgres expects.
#pragma once

#include <cstdint>
#include <optional>

#include "millrace/core/sql.hpp"

namespace millrace::reply {

// Of the one row of EXPLAIN (FORMAT JSON): the estimate of its topmost node.
[[nodiscard]] std::optional<std::int64_t> planned_rows(const sql::Rows& explained);

}  // namespace millrace::reply
