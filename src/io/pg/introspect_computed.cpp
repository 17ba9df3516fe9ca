// Reads functions of rows: computed columns, computed relationships and handlers of media types.
#include <algorithm>
#include <set>

#include "introspect_function_queries.hpp"
#include "introspect_reader.hpp"

namespace millrace::pg {

using catalog::Cardinality;
using catalog::Relationship;

CatalogReader::CatalogReader(pqxx::transaction_base& transaction, const std::vector<std::string>& schemas, const Scope& scope)
    : transaction_(transaction),
      watched_by_(scope.watched_by),
      schemas_(array_text(schemas)),
      relations_(array_text(scope.relations)) {
    std::vector<std::string> all = schemas;
    all.insert(all.end(), scope.extra_schemas.begin(), scope.extra_schemas.end());
    all_schemas_ = array_text(all);
}

// PostgREST, "Computed Fields" and "Computed Relationships": what returns rows of a relation is a way to it.
void CatalogReader::read_row_functions() {
    std::vector<std::uint32_t> row_types;
    for (const auto& [type, place] : rows_) row_types.push_back(type);
    for (const pqxx::row& row : transaction_.exec_params(queries::row_functions, array_text(row_types), all_schemas_)) {
        if (flag(row, "only_row") && rows_.contains(oid(row, "type_oid"))) add_relationship(row);
        if (!flag(row, "returns_set")) add_computed(row);
    }
}

// To the relation and to those that inherit from it, unless they have a column of that name.
void CatalogReader::add_computed(const pqxx::row& row) {
    catalog::Column column = types_.column_of(row);
    column.comment = text_of(row, "comment");
    column.computed = routine_of(row);
    std::set<std::size_t> seen;
    std::vector<std::size_t> open{rows_.at(oid(row, "row_type"))};
    while (!open.empty()) {
        const std::size_t place = open.back();
        open.pop_back();
        if (!seen.insert(place).second) continue;
        catalog::Relation& relation = catalog_.relations[place];
        if (relation.column(column.name) == nullptr &&
            std::ranges::find(relation.computed, column.name, &catalog::Column::name) == relation.computed.end())
            relation.computed.push_back(column);
        for (const std::uint32_t child : facts_[place].children)
            if (const auto found = places_.find(child); found != places_.end()) open.push_back(found->second);
    }
}

void CatalogReader::add_relationship(const pqxx::row& row) {
    Relationship way;
    way.source = catalog_.relations[rows_.at(oid(row, "row_type"))].id();
    way.target = catalog_.relations[rows_.at(oid(row, "type_oid"))].id();
    way.self = way.source == way.target;
    way.cardinality = !flag(row, "returns_set") || flag(row, "one_row") ? Cardinality::many_to_one : Cardinality::one_to_many;
    way.function = routine_of(row);
    catalog_.relationships.push_back(std::move(way));
}

void CatalogReader::read_media_handlers() {
    constexpr std::uint32_t bytea = 17;
    const std::string domains = array_text(types_.media_types());
    for (const pqxx::row& row : transaction_.exec_params(queries::media_handlers, domains, all_schemas_)) {
        catalog::MediaHandler handler;
        handler.media_type = types_.media_type(oid(row, "domain"));
        handler.function = routine_of(row);
        handler.binary = types_.base_of(oid(row, "domain")) == bytea;
        if (!row["row_type"].is_null()) {
            const auto relation = rows_.find(oid(row, "row_type"));
            if (relation == rows_.end()) continue;
            handler.relation = catalog_.relations[relation->second].id();
        }
        catalog_.media_handlers.push_back(std::move(handler));
    }
}

}  // namespace millrace::pg
