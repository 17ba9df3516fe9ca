// The parameters that OpenAPI 2.0's operations refer to: those of every read and write, and a filter for each column.
#include <array>
#include <span>

#include "shared.hpp"
#include "swagger.hpp"

namespace millrace::openapi {
namespace {

struct CommonParameter {
    std::string_view key, name, description, in;
    std::span<const std::string_view> choices{};
    std::string_view preset{};
};

constexpr std::array<std::string_view, 3> returns = {"return=representation", "return=minimal", "return=none"};
constexpr std::array<std::string_view, 1> counts = {"count=none"};
constexpr std::array<std::string_view, 5> posts = {"return=representation", "return=minimal", "return=none",
                                                   "resolution=ignore-duplicates", "resolution=merge-duplicates"};
constexpr std::array common_parameters = {
    CommonParameter{"preferParams", "Prefer", "Preference", "header"},
    CommonParameter{"preferReturn", "Prefer", "Preference", "header", returns},
    CommonParameter{"preferCount", "Prefer", "Preference", "header", counts},
    CommonParameter{"preferPost", "Prefer", "Preference", "header", posts},
    CommonParameter{"select", "select", "Filtering Columns", "query"},
    CommonParameter{"on_conflict", "on_conflict", "On Conflict", "query"},
    CommonParameter{"order", "order", "Ordering", "query"},
    CommonParameter{"range", "Range", "Limiting and Pagination", "header"},
    CommonParameter{"rangeUnit", "Range-Unit", "Limiting and Pagination", "header", {}, "items"},
    CommonParameter{"offset", "offset", "Limiting and Pagination", "query"},
    CommonParameter{"limit", "limit", "Limiting and Pagination", "query"},
};

void write_common(JsonWriter& out, const CommonParameter& parameter) {
    out.object(parameter.key, [&] {
        out.text("name", parameter.name);
        out.text("description", parameter.description);
        out.flag("required", false);
        out.text("in", parameter.in);
        out.text("type", "string");
        if (!parameter.choices.empty()) out.texts("enum", parameter.choices);
        if (!parameter.preset.empty()) out.text("default", parameter.preset);
    });
}

void write_body(JsonWriter& out, const std::string& name) {
    out.object("body." + name, [&] {
        out.text("name", name);
        out.text("description", name);
        out.flag("required", false);
        out.text("in", "body");
        out.object("schema", [&] { out.text("$ref", "#/definitions/" + name); });
    });
}

void write_row_filter(JsonWriter& out, const std::string& resource, const routes::ApiColumn& column) {
    out.object("rowFilter." + resource + "." + column.name, [&] {
        out.text("name", column.name);
        if (!column.column->comment.empty()) out.text("description", column.column->comment);
        out.flag("required", false);
        out.text("in", "query");
        out.text("type", "string");
    });
}

}  // namespace

void write_swagger_parameters(JsonWriter& out, const Description& description) {
    out.object("parameters", [&] {
        for (const CommonParameter& parameter : common_parameters) write_common(out, parameter);
        for (const GrantedResource& granted : description.grants.resources) {
            write_body(out, granted.resource->name);
            for (const routes::ApiColumn& column : granted.resource->columns)
                if (is_plain(column)) write_row_filter(out, granted.resource->name, column);
        }
    });
}

}  // namespace millrace::openapi
