// Columns and embeds of a resource: whoever reads must find what was there, whoever writes may send what was enough.
#include <algorithm>

#include "findings.hpp"

namespace millrace::versions {
namespace {

using message::Method;
using routes::ApiColumn;
using routes::Resource;

std::string name_of(const std::string& where, const ApiColumn& column) { return where + "." + column.name; }

// A client that inserts must name it.
bool required(const catalog::Column& column) { return !column.nullable && !column.has_default && !column.generated; }

bool inserts(const Resource& resource) { return resource.allows(Method::post) || resource.allows(Method::put); }

bool writes(const Resource& resource) { return inserts(resource) || resource.allows(Method::patch); }

// A view's columns all count as nullable, so there it says nothing.
bool tells_null(const Resource& resource) { return resource.relation->kind == catalog::RelationKind::table; }

void compare_types(const std::string& name, const catalog::Column& older, const catalog::Column& newer, Findings& out) {
    const bool same_base = older.base_type_oid == newer.base_type_oid && older.length_max && newer.length_max;
    if (same_base && *older.length_max < *newer.length_max)
        out.adds(name, "takes " + std::to_string(*newer.length_max) + " characters, was " + std::to_string(*older.length_max));
    else if (older.type != newer.type)
        out.breaks(name, "the type is " + newer.type + ", was " + older.type);
    if (const std::string gone = missing(older.enum_values, newer.enum_values); !gone.empty())
        out.breaks(name, "values are gone: " + gone);
    if (const std::string more = missing(newer.enum_values, older.enum_values); !more.empty() && !older.enum_values.empty())
        out.adds(name, "new values: " + more);
}

void compare_writing(const std::string& name, const Resource& older, const catalog::Column& was, const Resource& newer,
                     const catalog::Column& is, Findings& out) {
    if (inserts(older) && inserts(newer) && !required(was) && required(is))
        out.breaks(name, "inserts must name it now");
    else if (writes(older) && writes(newer) && was.nullable && !is.nullable)
        out.breaks(name, "null is refused now");
    if (writes(older) && writes(newer) && !was.generated && is.generated) out.breaks(name, "it cannot be written any more");
}

void compare_column(const Resource& older, const ApiColumn& was, const Resource& newer, const ApiColumn& is, Findings& out) {
    const std::string name = name_of(older.name, was);
    compare_types(name, *was.column, *is.column, out);
    if (older.column(was.name) != nullptr && newer.column(was.name) == nullptr)
        return out.breaks(name, "it is computed now: no part of * and not to be written");
    compare_writing(name, older, *was.column, newer, *is.column, out);
    if (tells_null(older) && tells_null(newer) && !was.column->nullable && is.column->nullable)
        out.breaks(name, "it may be null now");
}

template <class Visit>
void each_readable(const Resource& resource, const Visit& visit) {
    for (const ApiColumn& column : resource.columns) visit(column);
    for (const ApiColumn& column : resource.computed) visit(column);
}

// What PUT and an upsert find rows by, in the API's names.
std::vector<std::string> key_of(const Resource& resource) {
    std::vector<std::string> names;
    for (const std::string& column : resource.relation->key())
        if (const ApiColumn* shown = resource.by_catalog_name(column)) names.push_back(shown->name);
    std::ranges::sort(names);
    return names;
}

bool leads_to(const Resource& resource, std::string_view target) {
    return std::ranges::any_of(resource.links, [&](const routes::Link& link) { return link.target->name == target; });
}

std::vector<std::string> targets_of(const Resource& resource) {
    std::vector<std::string> names;
    for (const routes::Link& link : resource.links) names.push_back(link.target->name);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

// By several relationships between the same two an embed needs the name of one: what worked without it is refused.
std::size_t ways_to(const Resource& resource, std::string_view target) {
    return static_cast<std::size_t>(
        std::ranges::count_if(resource.links, [&](const routes::Link& link) { return link.target->name == target; }));
}

}  // namespace

void compare_columns(const Resource& older, const Resource& newer, Findings& out) {
    each_readable(older, [&](const ApiColumn& was) {
        if (const ApiColumn* is = newer.readable(was.name))
            compare_column(older, was, newer, *is, out);
        else
            out.breaks(name_of(older.name, was), "the column is gone");
    });
    each_readable(newer, [&](const ApiColumn& is) {
        if (older.readable(is.name) != nullptr) return;
        const bool needed = newer.column(is.name) != nullptr && required(*is.column) && inserts(older) && inserts(newer);
        if (needed)
            out.breaks(name_of(older.name, is), "a new column that inserts must name");
        else
            out.adds(name_of(older.name, is), "a new column");
    });
    if (older.allows(Method::put) && newer.allows(Method::put) && key_of(older) != key_of(newer))
        out.breaks(older.name, "PUT and upserts go by another key");
}

void compare_links(const Resource& older, const Resource& newer, const routes::ApiCatalog& newer_api, Findings& out) {
    for (const std::string& target : targets_of(older)) {
        if (newer_api.find(target) == nullptr) continue;  // said where the resource itself is compared
        if (!leads_to(newer, target))
            out.breaks(older.name, target + " can no longer be embedded");
        else if (ways_to(older, target) == 1 && ways_to(newer, target) > 1)
            out.breaks(older.name, "embedding " + target + " needs a relationship's name now");
    }
    for (const std::string& target : targets_of(newer))
        if (!leads_to(older, target)) out.adds(older.name, target + " can be embedded");
}

void compare_read_columns(const std::string& where, const Resource& older, const Resource& newer, Findings& out) {
    for (const ApiColumn& was : older.columns) {
        const ApiColumn* is = newer.readable(was.name);
        if (is == nullptr)
            out.breaks(name_of(where, was), "the column is gone from its rows");
        else if (is->column->type != was.column->type)
            out.breaks(name_of(where, was), "the type is " + is->column->type + ", was " + was.column->type);
    }
}

}  // namespace millrace::versions
