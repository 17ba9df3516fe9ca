// Reads of a resource what both descriptions tell of it.
#include "shared.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "types.hpp"

namespace millrace::openapi {
namespace {

using catalog::Cardinality;

bool refers(const catalog::Relationship& way, std::string_view column) {
    return (way.cardinality == Cardinality::many_to_one || way.cardinality == Cardinality::one_to_one_out) &&
           way.columns.size() == 1 && way.columns.front().from == column;
}

bool is_view(const catalog::Relation& relation) {
    return relation.kind == catalog::RelationKind::view || relation.kind == catalog::RelationKind::materialized_view;
}

// 'a word'::text → a word
std::string_view constant_of(std::string_view expression, std::string_view type) {
    const std::string cast = "::" + std::string(type);
    if (!expression.ends_with(cast)) return expression;
    expression.remove_suffix(cast.size());
    while (expression.starts_with('\'')) expression.remove_prefix(1);
    while (expression.ends_with('\'')) expression.remove_suffix(1);
    return expression;
}

}  // namespace

Words split_comment(std::string_view comment) {
    const std::size_t end = comment.find('\n');
    Words words{comment.substr(0, end), end == std::string_view::npos ? std::string_view() : comment.substr(end)};
    while (words.description.starts_with('\n')) words.description.remove_prefix(1);
    return words;
}

// A table rather than a view over it.
std::optional<ForeignColumn> foreign_column(const routes::Resource& resource, const routes::ApiColumn& column) {
    const routes::Link* found = nullptr;
    for (const routes::Link& link : resource.links) {
        if (!refers(*link.relationship, column.column->name)) continue;
        if (found == nullptr || (is_view(*found->target->relation) && !is_view(*link.target->relation))) found = &link;
    }
    if (found == nullptr) return std::nullopt;
    const routes::ApiColumn* target = found->target->by_catalog_name(found->relationship->columns.front().to);
    if (target == nullptr) return std::nullopt;
    return ForeignColumn{found->target->name, target->name};
}

bool is_key(const routes::Resource& resource, const routes::ApiColumn& column) {
    return std::ranges::find(resource.relation->key(), column.column->name) != resource.relation->key().end();
}

bool allows(const routes::ResolvedPolicies& policies, message::Method method) {
    return std::ranges::find(policies.methods, method) != policies.methods.end();
}

std::optional<std::string> default_json(const catalog::Column& column, std::string_view type) {
    if (column.default_expression.empty()) return std::nullopt;
    std::string json = column.default_expression;
    if (!is_array(type) && type_row(type).swagger_type == "string")
        json = '"' + std::string(constant_of(column.default_expression, type)) + '"';
    if (!nlohmann::json::accept(json)) return std::nullopt;
    return json;
}

}  // namespace millrace::openapi
