// JSON Schemas (2020-12) of a resource: its rows as they are read, and as they may be written.
#include <array>

#include "openapi.hpp"
#include "shared.hpp"
#include "types.hpp"

namespace millrace::openapi {
namespace {

using catalog::Column;
using routes::ApiColumn;
using routes::Resource;

void write_enum(JsonWriter& out, const Column& column) {
    out.array("enum", [&] {
        for (const std::string& value : column.enum_values) out.text(std::string_view(value));
        if (column.nullable) out.raw("null");
    });
}

void write_type(JsonWriter& out, std::string_view type, bool nullable) {
    if (nullable)
        out.texts("type", std::array<std::string_view, 2>{type, "null"});
    else
        out.text("type", type);
}

// What is not built in may be anything in JSON: a cast to json decides.
std::string_view json_type(const Column& column, std::string_view type) {
    if (column.represented && column.represented->to_json) return {};
    if (is_array(type)) return "array";
    if (!column.enum_values.empty()) return "string";
    if (column.category == catalog::TypeCategory::composite) return "object";
    return is_built_in(type) ? type_row(type).json_type : std::string_view();
}

void write_column_type(JsonWriter& out, const Column& column) {
    const std::string type = data_type(column);
    const std::string_view in_json = json_type(column, type);
    if (!in_json.empty()) write_type(out, in_json, column.nullable);
    if (in_json == "array") {
        out.key("items");
        out.object([&] {
            if (column.enum_values.empty()) write_value_schema(out, element_of(type));
        });
    } else if (!in_json.empty() && is_built_in(type) && !type_row(type).json_format.empty()) {
        out.text("format", type_row(type).json_format);
    }
    if (!column.enum_values.empty() && in_json == "string") write_enum(out, column);
    if (column.length_max && in_json == "string") out.number("maxLength", *column.length_max);
    const auto constant = default_json(column, type);
    if (constant && !in_json.empty() && in_json != "array") {
        out.key("default");
        out.raw(*constant);
    }
}

enum class Side : std::uint8_t { read, write };

void write_column(JsonWriter& out, const Resource& resource, const ApiColumn& column, Side side) {
    out.object(column.name, [&] {
        write_column_type(out, *column.column);
        if (!column.column->comment.empty()) out.text("description", column.column->comment);
        if (side == Side::write) return;
        if (column.column->generated) out.flag("readOnly", true);
        if (is_key(resource, column)) out.flag("x-primary-key", true);
        if (const auto target = foreign_column(resource, column))
            out.object("x-references", [&] {
                out.text("resource", target->resource);
                out.text("column", target->column);
            });
    });
}

bool is_required(const ApiColumn& column) { return !column.column->nullable && !column.column->has_default; }
bool is_writable(const ApiColumn& column) { return is_plain(column) && !column.column->generated; }

enum class Kind : std::uint8_t { insert, change };

void write_written(JsonWriter& out, const Resource& resource, Kind kind) {
    out.object(component_key(resource.name) + (kind == Kind::insert ? "-insert" : "-update"), [&] {
        out.text("type", "object");
        out.text("description", (kind == Kind::insert ? "A new row of " : "New values for rows of ") + resource.name);
        out.object("properties", [&] {
            for (const ApiColumn& column : resource.columns)
                if (is_writable(column)) write_column(out, resource, column, Side::write);
        });
        if (kind == Kind::insert) {
            std::vector<std::string_view> required;
            for (const ApiColumn& column : resource.columns)
                if (is_writable(column) && is_required(column)) required.push_back(column.name);
            if (!required.empty()) out.texts("required", required);
        }
        out.flag("additionalProperties", false);
    });
}

void write_error(JsonWriter& out) {
    constexpr std::array<std::string_view, 4> members = {"code", "message", "details", "hint"};
    out.object("api-error", [&] {
        out.text("type", "object");
        out.text("description", "What went wrong: a code of PostgREST, of Postgres (SQLSTATE) or of the gateway (MR…)");
        out.object("properties", [&] {
            for (const std::string_view member : {"code", "message"}) out.object(member, [&] { out.text("type", "string"); });
            out.object("details", [] {});
            out.object("hint", [&] { write_type(out, "string", true); });
        });
        out.texts("required", members);
    });
}

}  // namespace

void write_value_schema(JsonWriter& out, std::string_view type) {
    if (is_array(type)) {
        out.text("type", "array");
        out.object("items", [&] { write_value_schema(out, element_of(type)); });
        return;
    }
    if (!is_built_in(type)) return;
    const TypeRow& row = type_row(type);
    if (!row.json_type.empty()) out.text("type", row.json_type);
    if (!row.json_format.empty()) out.text("format", row.json_format);
}

// Members of the object that is open. All columns are there unless a select says otherwise.
void write_row_schema(JsonWriter& out, const Resource& resource) {
    out.text("type", "object");
    if (!resource.relation->comment.empty()) out.text("description", resource.relation->comment);
    std::vector<std::string_view> required;
    for (const ApiColumn& column : resource.columns)
        if (is_plain(column)) required.push_back(column.name);
    out.object("properties", [&] {
        for (const ApiColumn& column : resource.columns)
            if (is_plain(column)) write_column(out, resource, column, Side::read);
    });
    if (!required.empty()) out.texts("required", required);
}

void write_schemas(JsonWriter& out, const Description& description) {
    using message::Method;
    out.object("schemas", [&] {
        write_error(out);
        for (const GrantedResource& granted : description.grants.resources) {
            const Resource& resource = *granted.resource;
            if (granted.select) out.object(component_key(resource.name), [&] { write_row_schema(out, resource); });
            const bool inserts = resource.allows(Method::post) || (granted.update && resource.allows(Method::put));
            if (granted.insert && inserts) write_written(out, resource, Kind::insert);
            if (granted.update && resource.allows(Method::patch)) write_written(out, resource, Kind::change);
        }
    });
}

}  // namespace millrace::openapi
