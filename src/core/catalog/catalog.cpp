// Finds relations and columns by name, and gives each relation its one-word name.
#include "millrace/core/catalog.hpp"

#include <algorithm>
#include <bit>

#include "millrace/core/text.hpp"

namespace millrace::catalog {
namespace {

constexpr std::string_view escaped = "% .#!*@\n";

void append_escaped(std::string& out, std::string_view name) {
    constexpr char hex[] = "0123456789ABCDEF";
    for (char c : name) {
        if (escaped.find(c) == std::string_view::npos) {
            out += c;
            continue;
        }
        out += '%';
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[static_cast<unsigned char>(c) & 15];
    }
}

std::uint64_t hash_of(std::string_view schema, std::string_view name) {
    return text::hash64(schema) * 0x9e3779b97f4a7c15U ^ text::hash64(name);
}

const Relation* find_linearly(const std::vector<Relation>& relations, std::string_view schema, std::string_view name) {
    auto found = std::ranges::find_if(relations, [&](const Relation& r) { return r.name == name && r.schema == schema; });
    return found == relations.end() ? nullptr : &*found;
}

}  // namespace

std::string tag_of(std::string_view schema, std::string_view name) {
    std::string tag;
    tag.reserve(schema.size() + name.size() + 1);
    append_escaped(tag, schema);
    tag += '.';
    append_escaped(tag, name);
    return tag;
}

std::optional<QualifiedName> parse_tag(std::string_view tag) {
    const auto dot = tag.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto schema = text::percent_decode(tag.substr(0, dot)), name = text::percent_decode(tag.substr(dot + 1));
    if (!schema || !name) return std::nullopt;
    return QualifiedName{*std::move(schema), *std::move(name)};
}

const Column* Relation::column(std::string_view wanted) const {
    auto found = std::ranges::find(columns, wanted, &Column::name);
    return found == columns.end() ? nullptr : &*found;
}

const Relation* Catalog::find(std::string_view schema, std::string_view name) const {
    if (slots.size() <= relations.size()) return find_linearly(relations, schema, name);
    const std::size_t mask = slots.size() - 1;
    for (std::size_t at = hash_of(schema, name) & mask; slots[at] != 0; at = (at + 1) & mask) {
        const Relation& relation = relations[slots[at] - 1];
        if (relation.name == name && relation.schema == schema) return &relation;
    }
    return nullptr;
}

const Relation* Catalog::find_id(std::string_view id) const {
    if (id.find('%') == std::string_view::npos) {
        const auto dot = id.find('.');
        return dot == std::string_view::npos ? nullptr : find(id.substr(0, dot), id.substr(dot + 1));
    }
    const auto parsed = parse_tag(id);
    return parsed ? find(parsed->schema, parsed->name) : nullptr;
}

namespace {

void make_index(Catalog& catalog) {
    catalog.slots.assign(std::bit_ceil(catalog.relations.size() * 2 + 1), 0);
    const std::size_t mask = catalog.slots.size() - 1;
    for (std::size_t i = 0; i < catalog.relations.size(); ++i) {
        std::size_t at = hash_of(catalog.relations[i].schema, catalog.relations[i].name) & mask;
        while (catalog.slots[at] != 0) at = (at + 1) & mask;
        catalog.slots[at] = static_cast<std::uint32_t>(i + 1);
    }
}

// PostgREST, "Tables and Views": a view's key is made of the primary keys that it shows whole.
void infer_key(Relation& view, const Catalog& catalog) {
    view.inferred_key.clear();
    std::vector<std::string> tables;
    for (const Column& column : view.columns)
        if (column.origin && std::ranges::find(tables, column.origin->relation) == tables.end())
            tables.push_back(column.origin->relation);
    for (const std::string& table : tables) {
        const Relation* behind = catalog.find_id(table);
        if (behind == nullptr) continue;
        std::vector<std::string> key;
        for (const std::string& wanted : behind->primary_key) {
            auto column = std::ranges::find_if(view.columns, [&](const Column& c) {
                return c.origin && c.origin->relation == table && c.origin->column == wanted;
            });
            if (column != view.columns.end()) key.push_back(column->name);
        }
        if (key.size() == behind->primary_key.size()) view.inferred_key.insert(view.inferred_key.end(), key.begin(), key.end());
    }
}

bool overrides(const Relationship& computed, const Relationship& way) {
    return computed.source == way.source && tag_of(computed.function->schema, computed.function->name) == way.target;
}

// PostgREST, "Computed Relationships": they take the place of those that are derived.
void add_relationships(Catalog& catalog) {
    std::vector<Relationship> all = std::move(catalog.relationships);
    std::erase_if(all, [](const Relationship& way) { return !way.function; });
    const std::size_t computed = all.size();
    for (Relationship& way : derive_relationships(catalog.relations, catalog.foreign_keys)) {
        const auto end = all.begin() + static_cast<std::ptrdiff_t>(computed);
        if (std::none_of(all.begin(), end, [&](const Relationship& one) { return overrides(one, way); }))
            all.push_back(std::move(way));
    }
    std::ranges::stable_sort(all, {}, &Relationship::source);
    catalog.relationships = std::move(all);
}

}  // namespace

void complete(Catalog& catalog) {
    make_index(catalog);
    for (Relation& relation : catalog.relations)
        if (relation.kind == RelationKind::view || relation.kind == RelationKind::materialized_view)
            infer_key(relation, catalog);
    add_relationships(catalog);
    catalog.fingerprint = fingerprint_of(catalog);
}

}  // namespace millrace::catalog
