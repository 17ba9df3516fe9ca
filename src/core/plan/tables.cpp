// What stands behind a plan: the relations it touches, and the base tables whose change changes its answer.
#include <algorithm>

#include "millrace/core/plan.hpp"

namespace millrace::plan {
namespace {

struct Behind {
    std::vector<const catalog::Relation*> relations;
    std::vector<const catalog::Junction*> junctions;
};

void add_tree(Behind& out, const ReadNode& node) {
    out.relations.push_back(node.resource->relation);
    if (node.link != nullptr && node.link->relationship->junction) out.junctions.push_back(&*node.link->relationship->junction);
    for (const ReadNode& embed : node.embeds) add_tree(out, embed);
}

void add(Behind& out, const Read& read) { add_tree(out, read.root); }

// What else a function reads or writes is not known.
void add(Behind& out, const Call& call) { add_tree(out, call.rows); }

template <class Write>
void add(Behind& out, const Write& write) {
    out.relations.push_back(write.resource->relation);
}

Behind behind(const Plan& plan) {
    Behind out;
    std::visit([&](const auto& what) { add(out, what); }, plan);
    return out;
}

template <class T>
std::vector<T> sorted_once(std::vector<T> all) {
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

std::vector<std::string> tags_of(const std::vector<const catalog::Relation*>& relations) {
    std::vector<std::string> out;
    for (const catalog::Relation* relation : relations)
        out.insert(out.end(), relation->base_tables.begin(), relation->base_tables.end());
    return out;
}

void add_legacy_names(std::vector<LegacyName>& out, const ReadNode& node) {
    if (node.named_by_relation) out.push_back({node.name, node.key});
    for (const ReadNode& embed : node.embeds) add_legacy_names(out, embed);
}

}  // namespace

std::vector<LegacyName> legacy_names(const Plan& plan) {
    std::vector<LegacyName> out;
    if (const auto* read = std::get_if<Read>(&plan)) add_legacy_names(out, read->root);
    if (const auto* call = std::get_if<Call>(&plan)) add_legacy_names(out, call->rows);
    if (const auto* insert = std::get_if<Insert>(&plan); insert != nullptr && insert->returning)
        add_legacy_names(out, *insert->returning);
    if (const auto* update = std::get_if<Update>(&plan); update != nullptr && update->returning)
        add_legacy_names(out, *update->returning);
    if (const auto* remove = std::get_if<Remove>(&plan); remove != nullptr && remove->returning)
        add_legacy_names(out, *remove->returning);
    return out;
}

std::vector<const catalog::Relation*> relations_behind(const Plan& plan, const catalog::Catalog& catalog) {
    Behind all = behind(plan);
    for (const catalog::Junction* junction : all.junctions)
        if (const catalog::Relation* found = catalog.find(junction->schema, junction->name)) all.relations.push_back(found);
    return sorted_once(std::move(all.relations));
}

std::vector<std::string> tables_behind(const Plan& plan, const catalog::Catalog& catalog) {
    return sorted_once(tags_of(relations_behind(plan, catalog)));
}

std::vector<std::string> tables_behind(const Plan& plan) {
    const Behind all = behind(plan);
    std::vector<std::string> out = tags_of(all.relations);
    for (const catalog::Junction* junction : all.junctions) out.push_back(catalog::tag_of(junction->schema, junction->name));
    return sorted_once(std::move(out));
}

}  // namespace millrace::plan
