// Looks names of a request up in what the version shows; the catalog's own names mean nothing here.
#include "names.hpp"

#include "millrace/core/text.hpp"

namespace millrace::plan {
namespace {

std::optional<std::string> closest_column(const routes::Resource& resource, std::string_view name) {
    if (!resource.relation->anonymous.select) return std::nullopt;  // it is not for everybody to know
    std::vector<std::string> names;
    for (const routes::ApiColumn& column : resource.columns) names.push_back(column.name);
    return text::closest(name, names);
}

}  // namespace

const catalog::Column* find_column(const routes::Resource& resource, std::string_view api_name) {
    const routes::ApiColumn* found = resource.column(api_name);
    return found == nullptr ? nullptr : found->column;
}

const catalog::Column* find_readable(const routes::Resource& resource, std::string_view api_name) {
    const routes::ApiColumn* found = resource.readable(api_name);
    return found == nullptr ? nullptr : found->column;
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
    const catalog::Column* column = find_readable(resource, path.column);
    if (column == nullptr) return no_such_column(resource, path.column);
    return Field{column, path.json};
}

std::vector<const catalog::Column*> key_columns(const catalog::Relation& relation, const std::vector<std::string>& key) {
    std::vector<const catalog::Column*> out;
    for (const std::string& name : key) {
        const catalog::Column* column = relation.column(name);
        if (column == nullptr) return {};
        out.push_back(column);
    }
    return out;
}

}  // namespace millrace::plan
