// Postgres' types as the two descriptions name them.
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/catalog.hpp"

namespace millrace::openapi {

// What both know of a built-in type. Empty: nothing is said of it.
struct TypeRow {
    std::string_view name;
    std::string_view swagger_type, swagger_format;  // format empty: the type's own name
    std::string_view json_type, json_format;
};

// Of a type that has no row: a string, its format its name.
[[nodiscard]] const TypeRow& type_row(std::string_view name);

[[nodiscard]] inline bool is_array(std::string_view name) { return name.ends_with("[]"); }
[[nodiscard]] inline std::string_view element_of(std::string_view name) { return name.substr(0, name.size() - 2); }

// Types of the system are written without a schema, whatever the search path.
[[nodiscard]] bool is_built_in(std::string_view name);

// Without length and precision where the type is built in; of a domain over a built-in type that type. "character varying",
// "numeric", "shop.mood", "public.geometry(Point,4326)".
[[nodiscard]] std::string data_type(const catalog::Column& column);

// Without the schema, which is quoted where it must be.
[[nodiscard]] std::string_view without_schema(std::string_view type, std::string_view schema);

}  // namespace millrace::openapi
