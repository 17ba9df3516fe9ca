// Looks names of a request up in what the version shows; the catalog's own names mean nothing here.
#include "names.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::plan {
namespace {

std::optional<std::string> closest_column(const routes::Resource& resource, std::string_view name) {
    std::vector<std::string> names;
    for (const routes::ApiColumn& column : resource.columns) names.push_back(column.name);
    return text::closest(name, names);
}

}  // namespace

const catalog::Column* find_column(const routes::Resource& resource, std::string_view api_name) {
    for (const routes::ApiColumn& column : resource.columns)
        if (column.name == api_name) return column.column;
    return nullptr;
}

const std::string* find_api_name(const routes::Resource& resource, std::string_view column) {
    for (const routes::ApiColumn& shown : resource.columns)
        if (shown.column->name == column) return &shown.name;
    return nullptr;
}

Error no_such_column(const routes::Resource& resource, std::string_view name) {
    Error error;
    error.fault = Fault::database_error;
    error.code = "42703";
    error.status = 400;
    error.message = "column " + resource.name + "." + std::string(name) + " does not exist";
    if (auto meant = closest_column(resource, name))
        error.hint = "Perhaps you meant to reference the column \"" + resource.name + "." + *meant + "\".";
    return error;
}

Error no_such_key(const routes::Resource& resource, std::string_view name) {
    return Error::of(Fault::no_column,
                     "Could not find the '" + std::string(name) + "' column of '" + resource.name + "' in the schema cache");
}

Result<Field> resolve(const routes::Resource& resource, const request::FieldPath& path) {
    const catalog::Column* column = find_column(resource, path.column);
    if (column == nullptr) return no_such_column(resource, path.column);
    return Field{column, path.json};
}

std::vector<const catalog::Column*> primary_key(const catalog::Relation& relation) {
    std::vector<const catalog::Column*> out;
    for (const std::string& name : relation.primary_key) {
        auto column = std::ranges::find(relation.columns, name, &catalog::Column::name);
        if (column != relation.columns.end()) out.push_back(&*column);
    }
    return out;
}

}  // namespace millrace::plan
