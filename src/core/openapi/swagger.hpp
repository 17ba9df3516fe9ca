// The parts of the OpenAPI 2.0 document.
#pragma once

#include "json_writer.hpp"
#include "millrace/core/openapi.hpp"

namespace millrace::openapi {

void write_swagger_paths(JsonWriter& out, const Description& description);
void write_swagger_definitions(JsonWriter& out, const Description& description);
void write_swagger_parameters(JsonWriter& out, const Description& description);

// type, items and format of a value, members of the object that is open.
enum class Items : bool { described, left_out };
void write_swagger_type(JsonWriter& out, std::string_view type, Items items = Items::described);

}  // namespace millrace::openapi
