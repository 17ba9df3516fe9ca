// Part of reading a catalog, and of looking whether it still is as it was read.
#pragma once

#include <pqxx/pqxx>

#include "millrace/core/catalog.hpp"

namespace millrace::pg {

[[nodiscard]] catalog::State read_state(pqxx::transaction_base& transaction);  // with the search_path empty

}  // namespace millrace::pg
