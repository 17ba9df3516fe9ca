// The parts of the OpenAPI 3.1 document.
#pragma once

#include <string>
#include <string_view>

#include "json_writer.hpp"
#include "millrace/core/openapi.hpp"

namespace millrace::openapi {

// A name as a component's key may be written (OpenAPI 3.1, "Components Object"): letters, digits and '_' stand for themselves,
// other bytes are ".2D". So '-' is free to join a name with what it is used for.
[[nodiscard]] std::string component_key(std::string_view name);

// openapi_schemas.cpp: JSON Schemas of rows, and of what may be written.
void write_row_schema(JsonWriter& out, const routes::Resource& resource);
void write_schemas(JsonWriter& out, const Description& description);
void write_value_schema(JsonWriter& out, std::string_view type);

// openapi_parameters.cpp
enum class Use : std::uint8_t { read, insert, upsert, change, call };
void write_parameters(JsonWriter& out, const Description& description);
void write_parameter_references(JsonWriter& out, const routes::Resource& resource, Use use);
void write_call_parameters(JsonWriter& out, const catalog::Function& function, bool as_query, bool returns_rows);

// openapi_responses.cpp
void write_responses(JsonWriter& out, const Description& description);
void write_headers(JsonWriter& out, const Description& description);
void write_response_headers(JsonWriter& out, const Description& description, bool counted);
void write_failures(JsonWriter& out);  // members of the object "responses" that is open

// openapi_resources.cpp, openapi_functions.cpp: members of the object "paths" that is open.
void write_resource_paths(JsonWriter& out, const Description& description);
void write_function_paths(JsonWriter& out, const Description& description);

// Is the resource's row among the components?
[[nodiscard]] bool has_row_schema(const Description& description, const routes::Resource& resource);

}  // namespace millrace::openapi
