// What the log does not say of a table: what it is a partition or a child of, and its primary key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/core/replication.hpp"

namespace millrace::pg {

[[nodiscard]] std::string lineage_sql(std::uint32_t relation);  // one cell
[[nodiscard]] std::optional<replication::Lineage> read_lineage(std::string_view cell);

}  // namespace millrace::pg
