// Results as Postgres would have sent them.
#pragma once

#include "millrace/core/sql.hpp"

namespace millrace::reply {

inline sql::Rows rows_of(std::size_t columns, std::vector<std::string_view> cells) {
    sql::Rows rows;
    rows.columns = columns;
    rows.cells = std::move(cells);
    return rows;
}

inline sql::Script script_of(std::vector<sql::OutputCell> cells) {
    sql::Script script;
    script.cells = std::move(cells);
    return script;
}

}  // namespace millrace::reply
