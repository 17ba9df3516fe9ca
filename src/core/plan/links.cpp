// Decides which relationship an embed means: by target, constraint or column, and the hint after "!" (PostgREST, "Resource
// Embedding", "Foreign Key Joins").
#include "links.hpp"

namespace millrace::plan {
namespace {

using catalog::Cardinality;
using catalog::Relationship;

bool is_view(const routes::Resource& resource) {
    return resource.relation->kind == catalog::RelationKind::view ||
           resource.relation->kind == catalog::RelationKind::materialized_view;
}

bool shown_as(const routes::Resource& resource, const std::string& column, std::string_view name) {
    const routes::ApiColumn* shown = resource.by_catalog_name(column);
    return shown != nullptr && shown->name == name;
}

bool by_source_column(const routes::Resource& source, const Relationship& way, std::string_view name) {
    return way.columns.size() == 1 && shown_as(source, way.columns.front().from, name);
}

bool by_target_column(const routes::Link& link, std::string_view name) {
    const Relationship& way = *link.relationship;
    return way.columns.size() == 1 && shown_as(*link.target, way.columns.front().to, name);
}

bool by_constraint(const Relationship& way, std::string_view name) { return !way.junction && way.constraint == name; }

bool by_junction(const routes::Resource& source, const Relationship& way, std::string_view name) {
    if (!way.junction) return false;
    const routes::Resource* junction = shown_junction(source, *way.junction);
    return junction != nullptr && junction->name == name;
}

bool hint_fits(const routes::Resource& source, const routes::Link& link, std::string_view hint) {
    const Relationship& way = *link.relationship;
    return by_constraint(way, hint) || by_source_column(source, way, hint) || by_target_column(link, hint) ||
           by_junction(source, way, hint);
}

// One foreign key of a table to itself gives two ways with one target. The convention: the table's name means the children,
// the column's name means the parent.
bool self_fits(const routes::Resource& source, const routes::Link& link, const request::SelectEmbed& embed) {
    const Relationship& way = *link.relationship;
    const bool children = embed.relation == link.target->name && way.cardinality == Cardinality::one_to_many;
    if (!embed.hint.empty()) return children && (by_target_column(link, embed.hint) || by_constraint(way, embed.hint));
    return children || (by_source_column(source, way, embed.relation) && way.cardinality == Cardinality::many_to_one);
}

bool fits(const routes::Resource& source, const routes::Link& link, const request::SelectEmbed& embed) {
    const Relationship& way = *link.relationship;
    if (way.function) return embed.relation == way.function->name;
    if (way.self) return self_fits(source, link, embed);
    const bool by_name = embed.relation == link.target->name;
    if (!embed.hint.empty()) return by_name && hint_fits(source, link, embed.hint);
    if (by_name) return true;
    return !is_view(*link.target) && (by_constraint(way, embed.relation) || by_source_column(source, way, embed.relation));
}

}  // namespace

Result<const routes::Link*> find_link(const routes::Resource& source, const request::SelectEmbed& embed,
                                      const Options& options) {
    const routes::Link* found = nullptr;
    std::vector<const routes::Link*> all;  // filled only when there is more than one: the rare case pays
    for (const routes::Link& link : source.links) {
        if (!fits(source, link, embed) || (options.may_use && !options.may_use(*link.target))) continue;
        if (found != nullptr && all.empty()) all.push_back(found);
        if (found != nullptr) all.push_back(&link);
        found = &link;
    }
    if (found == nullptr) return no_link(source, embed, options);
    if (!all.empty()) return ambiguous_link(source, embed, all);
    return found;
}

const routes::Resource* shown_junction(const routes::Resource& source, const catalog::Junction& junction) {
    for (const routes::Link& link : source.links)
        if (link.target->relation->name == junction.name && link.target->relation->schema == junction.schema)
            return link.target;
    return nullptr;
}

}  // namespace millrace::plan
