// Derives the ways between relations from foreign keys: PostgREST's reference, "Resource Embedding".
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "millrace/core/catalog.hpp"

namespace millrace::catalog {
namespace {

using ById = std::unordered_map<std::string, const Relation*>;

// Views by the tables that their columns come from.
using ViewsOf = std::unordered_map<std::string, std::vector<const Relation*>>;

// One end of a foreign key: a relation, and the key's columns under its names there.
struct End {
    std::string relation;
    std::vector<std::string> columns;
};

bool same_columns(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return a.size() == b.size() && std::ranges::is_permutation(a, b);
}

bool is_unique(const Relation& table, const std::vector<std::string>& columns) {
    return same_columns(table.primary_key, columns) ||
           std::ranges::any_of(table.unique_keys, [&](const auto& key) { return same_columns(key, columns); });
}

// A view may show a column of its table more than once: each choice of one per column is an end of its own.
void expand(const Relation& view, const std::string& table, const std::vector<std::string>& columns, End& end,
            std::vector<End>& ends) {
    constexpr std::size_t ends_max = 64;
    if (ends.size() >= ends_max) return;
    if (end.columns.size() == columns.size()) {
        ends.push_back(end);
        return;
    }
    const std::string& wanted = columns[end.columns.size()];
    for (const Column& column : view.columns) {
        if (!column.origin || column.origin->relation != table || column.origin->column != wanted) continue;
        end.columns.push_back(column.name);
        expand(view, table, columns, end, ends);
        end.columns.pop_back();
    }
}

// The table itself first, then the views that show the key's columns.
std::vector<End> ends_of(const std::string& table, const std::vector<std::string>& columns, const ViewsOf& views) {
    std::vector<End> ends{End{table, columns}};
    auto found = views.find(table);
    if (found == views.end()) return ends;
    for (const Relation* view : found->second) {
        std::vector<End> of_view;
        End end{view->id(), {}};
        expand(*view, table, columns, end, of_view);
        std::ranges::move(of_view, std::back_inserter(ends));
    }
    return ends;
}

std::vector<ColumnPair> zip(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    std::vector<ColumnPair> pairs;
    for (std::size_t i = 0; i < from.size(); ++i) pairs.push_back({from[i], to[i]});
    return pairs;
}

std::vector<ColumnPair> swapped(std::vector<ColumnPair> pairs) {
    for (ColumnPair& pair : pairs) std::swap(pair.from, pair.to);
    return pairs;
}

Relationship inverse(const Relationship& way) {
    Relationship back = way;
    std::swap(back.source, back.target);
    back.columns = swapped(std::move(back.columns));
    back.cardinality = way.cardinality == Cardinality::many_to_one ? Cardinality::one_to_many : Cardinality::one_to_one_in;
    return back;
}

// From the referencing side: many-to-one, or one-to-one when the table's referencing columns are unique.
void add_forward(const ForeignKey& key, const ById& by_id, const ViewsOf& views, std::vector<Relationship>& out) {
    auto table = by_id.find(key.from);
    if (table == by_id.end() || !by_id.contains(key.to)) return;
    std::vector<std::string> from, to;
    for (const ColumnPair& pair : key.columns) from.push_back(pair.from), to.push_back(pair.to);
    const Cardinality cardinality = is_unique(*table->second, from) ? Cardinality::one_to_one_out : Cardinality::many_to_one;
    const std::vector<End> targets = ends_of(key.to, to, views);
    for (const End& source : ends_of(key.from, from, views))
        for (const End& target : targets)
            out.push_back({.source = source.relation,
                           .target = target.relation,
                           .cardinality = cardinality,
                           .constraint = key.constraint,
                           .columns = zip(source.columns, target.columns),
                           .junction = {},
                           .self = source.relation == target.relation});
}

bool holds(const std::vector<std::string>& key, const std::vector<ColumnPair>& pairs) {
    return std::ranges::all_of(pairs, [&](const ColumnPair& p) { return std::ranges::find(key, p.from) != key.end(); });
}

Relationship through(const Relation& table, const Relationship& first, const Relationship& second) {
    return {.source = first.target,
            .target = second.target,
            .cardinality = Cardinality::many_to_many,
            .constraint = {},
            .columns = {},
            .junction =
                Junction{table.schema, table.name, first.constraint, second.constraint, swapped(first.columns), second.columns},
            .self = first.target == second.target};
}

// `ways` lead out of one relation. When its key holds two foreign keys it joins what they refer to.
void add_through(const Relation& table, const std::vector<Relationship>& ways, std::vector<Relationship>& out) {
    std::vector<const Relationship*> in_key;
    for (const Relationship& way : ways)
        if (way.cardinality == Cardinality::many_to_one && holds(table.key(), way.columns)) in_key.push_back(&way);
    for (const Relationship* first : in_key)
        for (const Relationship* second : in_key)
            if (first->constraint != second->constraint) out.push_back(through(table, *first, *second));
}

ViewsOf views_by_table(const std::vector<Relation>& relations) {
    ViewsOf views;
    for (const Relation& relation : relations)
        for (const Column& column : relation.columns) {
            if (!column.origin) continue;
            auto& of_table = views[column.origin->relation];
            if (of_table.empty() || of_table.back() != &relation) of_table.push_back(&relation);
        }
    return views;
}

}  // namespace

std::vector<Relationship> derive_relationships(const std::vector<Relation>& relations, const std::vector<ForeignKey>& keys) {
    ById by_id;
    for (const Relation& relation : relations) by_id.emplace(relation.id(), &relation);
    const ViewsOf views = views_by_table(relations);

    std::vector<Relationship> forward;
    for (const ForeignKey& key : keys) add_forward(key, by_id, views, forward);
    std::unordered_map<std::string, std::vector<Relationship>> by_source;
    for (const Relationship& way : forward) by_source[way.source].push_back(way);

    std::vector<Relationship> all = forward;
    for (const Relationship& way : forward) all.push_back(inverse(way));
    for (const auto& [source, ways] : by_source) add_through(*by_id.at(source), ways, all);

    const auto order = [](const Relationship& r) {
        const Junction none, &via = r.junction ? *r.junction : none;
        return std::tuple(r.source, r.target, r.cardinality, r.constraint, via.schema, via.name, via.first_constraint,
                          via.second_constraint);
    };
    std::ranges::stable_sort(all, {}, order);
    return all;
}

}  // namespace millrace::catalog
