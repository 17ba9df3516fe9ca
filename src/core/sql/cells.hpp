// How the cells of an output become JSON, decided by type.
#pragma once

#include <string_view>

#include "millrace/core/sql.hpp"

namespace millrace::sql {

struct CellType {
    CellKind kind = CellKind::json;
    bool wrap = false;  // the worker does not know the type's text: to_json() in SQL makes it JSON
};

[[nodiscard]] CellType cell_type(const catalog::Column& column);
[[nodiscard]] CellType cast_type(std::string_view type_name);
// The function that makes JSON of the column's values, when they are of a domain that has one.
[[nodiscard]] const catalog::RoutineName* json_function(const plan::OutputColumn& output);
[[nodiscard]] CellType output_type(const plan::OutputColumn& output);

}  // namespace millrace::sql
