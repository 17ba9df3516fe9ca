// Rows as OpenAPI 2.0 defines them: types, formats, defaults, keys.
#include "shared.hpp"
#include "swagger.hpp"
#include "types.hpp"

namespace millrace::openapi {
namespace {

using routes::ApiColumn;
using routes::Resource;

// Its comment, and a note where it is a key; clients read the tags in it.
std::string words_of(const Resource& resource, const ApiColumn& column) {
    std::string notes;
    if (is_key(resource, column)) notes += "\nThis is a Primary Key.<pk/>";
    if (const auto target = foreign_column(resource, column)) {
        const std::string table(target->resource), name(target->column);
        notes += "\nThis is a Foreign Key to `" + table + "." + name + "`.<fk table='" + table + "' column='" + name + "'/>";
    }
    std::string words = column.column->comment;
    if (notes.empty()) return words;
    if (!words.empty()) words += "\n\n";
    return words + "Note:" + notes;
}

void write_property(JsonWriter& out, const Resource& resource, const ApiColumn& column) {
    const std::string type = data_type(*column.column);
    out.object(column.name, [&] {
        if (const auto json = default_json(*column.column, type)) {
            out.key("default");
            out.raw(*json);
        }
        if (const std::string words = words_of(resource, column); !words.empty()) out.text("description", words);
        if (!column.column->enum_values.empty()) out.texts("enum", column.column->enum_values);
        if (column.column->length_max) out.number("maxLength", *column.column->length_max);
        write_swagger_type(out, type);
    });
}

void write_definition(JsonWriter& out, const Resource& resource) {
    out.object(resource.name, [&] {
        if (!resource.relation->comment.empty()) out.text("description", resource.relation->comment);
        std::vector<std::string_view> required;
        for (const ApiColumn& column : resource.columns)
            if (is_plain(column) && !column.column->nullable) required.push_back(column.name);
        if (!required.empty()) out.texts("required", required);
        if (!resource.columns.empty())
            out.object("properties", [&] {
                for (const ApiColumn& column : resource.columns)
                    if (is_plain(column)) write_property(out, resource, column);
            });
        out.text("type", "object");
    });
}

}  // namespace

void write_swagger_type(JsonWriter& out, std::string_view type, Items items) {
    const TypeRow& row = type_row(type);
    out.text("format", row.swagger_format.empty() ? type : row.swagger_format);
    if (is_array(type)) {
        out.text("type", "array");
        if (items == Items::left_out) return;
        const std::string_view element = element_of(type);
        const std::string_view of = is_array(element) ? "array" : type_row(element).swagger_type;
        out.object("items", [&] {
            if (!of.empty()) out.text("type", of);
        });
    } else if (!row.swagger_type.empty()) {
        out.text("type", row.swagger_type);
    }
}

void write_swagger_definitions(JsonWriter& out, const Description& description) {
    out.object("definitions", [&] {
        for (const GrantedResource& granted : description.grants.resources) write_definition(out, *granted.resource);
    });
}

}  // namespace millrace::openapi
