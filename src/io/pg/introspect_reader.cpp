// Asks pg_catalog a few questions about all relations at once and puts the answers together.
#include "introspect_reader.hpp"

#include <charconv>

#include "introspect_queries.hpp"
#include "introspect_setting_queries.hpp"
#include "introspect_state.hpp"
#include "migrate_functions.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pg {
namespace {

using catalog::Relation;
using catalog::RelationFacts;
using catalog::RelationKind;

RelationKind kind_of(const std::string& relkind) {
    switch (relkind.front()) {
        case 'p':
            return RelationKind::partitioned_table;
        case 'v':
            return RelationKind::view;
        case 'm':
            return RelationKind::materialized_view;
        case 'f':
            return RelationKind::foreign_table;
        default:
            return RelationKind::table;
    }
}

Relation relation_of(const pqxx::row& row) {
    constexpr int update = 1 << 2, insert = 1 << 3, remove = 1 << 4;  // pg_relation_is_updatable: 1 << CmdType
    const int writes = row["writes"].as<int>();
    Relation relation;
    relation.schema = text_of(row, "schema");
    relation.name = text_of(row, "name");
    relation.kind = kind_of(text_of(row, "kind"));
    relation.comment = text_of(row, "comment");
    relation.partition = flag(row, "partition");
    relation.told_by_key = flag(row, "told_by_key");
    relation.anonymous = {flag(row, "may_select"), flag(row, "may_insert"), flag(row, "may_update"), flag(row, "may_delete")};
    relation.insertable = (writes & insert) != 0;
    relation.updatable = (writes & update) != 0;
    relation.deletable = (writes & remove) != 0;
    return relation;
}

// With the layout of keys written out as the migration writes it.
std::string relations_query(WatchedBy watched_by) {
    const auto filled = [](std::string text, std::string_view slot, std::string_view value) {
        return text.replace(text.find(slot), slot.size(), value);
    };
    const char* const watched = watched_by == WatchedBy::triggers ? queries::by_triggers : queries::by_publication;
    const std::string query = filled(queries::relations, "$watched", watched);
    return filled(query, "$layout", filled(std::string(migration::key_layout), "$relation", "c.oid"));
}

std::uint32_t from_hex(const std::string& digits) {
    std::uint32_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

}  // namespace

catalog::Catalog CatalogReader::read(const std::string& anonymous_role) {
    transaction_.exec(queries::begin);
    catalog_.state = read_state(transaction_);
    read_server(anonymous_role);
    types_.read(transaction_);
    read_reach();
    read_relations();
    read_columns();
    read_keys();
    read_foreign_keys();
    read_policies();
    catalog::settle_dependencies(catalog_, facts_, read_procedures());
    read_functions();
    read_row_functions();
    read_media_handlers();
    read_settings();
    catalog::complete(catalog_);
    return std::move(catalog_);
}

void CatalogReader::read_server(const std::string& anonymous_role) {
    const pqxx::row row = transaction_.exec_params(queries::server, anonymous_role)[0];
    role_ = catalog_.anonymous_role = text_of(row, "role");
    catalog_.server_version = row["version"].as<int>();
    catalog_.ddl_watched = flag(row, "ddl_watched");
    if (flag(row, "may_identify"))
        catalog_.system_identifier = transaction_.exec(queries::system_identifier)[0][0].as<std::uint64_t>();
    catalog_.incarnation = transaction_.exec(queries::incarnation)[0][0].as<std::int64_t>();
    const bool standby = flag(row, "standby");
    if (standby && !flag(row, "may_see_checkpoint")) return;
    const auto timeline = transaction_.exec(standby ? queries::timeline_of_standby : queries::timeline_of_primary);
    catalog_.timeline = from_hex(timeline[0][0].as<std::string>());
}

void CatalogReader::read_reach() {
    for (const pqxx::row& row : transaction_.exec_params(queries::reach, schemas_, relations_)) {
        RelationFacts& facts = reached_[oid(row, "source")];
        facts.oid = oid(row, "source");
        if (row["target"].is_null()) continue;
        const std::uint32_t target = oid(row, "target");
        const std::string kind = text_of(row, "kind");
        if (kind == "reads") facts.reads.push_back(target);
        if (kind == "policy") facts.policy_reads.push_back(target);
        if (kind == "parent") facts.parents.push_back(target);
        if (kind == "child") facts.children.push_back(target);
    }
    std::vector<std::uint32_t> oids;
    for (const auto& [one, facts] : reached_) oids.push_back(one);
    oids_ = array_text(oids);
}

void CatalogReader::read_relations() {
    for (const pqxx::row& row : transaction_.exec_params(relations_query(watched_by_), oids_, role_)) {
        RelationFacts& facts = reached_[oid(row, "oid")];
        facts.row_security = flag(row, "row_security");
        facts.watched = flag(row, "watched");
        if (!row["query"].is_null()) facts.query = catalog::read_query_tree(row["query"].c_str());
        places_.emplace(facts.oid, catalog_.relations.size());
        rows_.emplace(oid(row, "row_type"), catalog_.relations.size());
        catalog_.relations.push_back(relation_of(row));
        facts_.push_back(std::move(facts));
    }
    reached_.clear();
}

void CatalogReader::read_columns() {
    for (const pqxx::row& row : transaction_.exec_params(queries::columns, oids_))
        catalog_.relations[places_.at(oid(row, "relation"))].columns.push_back(types_.stored_column_of(row));
}

void CatalogReader::read_keys() {
    std::uint32_t current = 0;
    for (const pqxx::row& row : transaction_.exec_params(queries::keys, oids_)) {
        Relation& relation = catalog_.relations[places_.at(oid(row, "relation"))];
        const bool is_new = oid(row, "key") != current;
        current = oid(row, "key");
        if (flag(row, "primary_key")) {
            relation.primary_key.push_back(text_of(row, "column"));
            continue;
        }
        if (is_new) relation.unique_keys.emplace_back();
        relation.unique_keys.back().push_back(text_of(row, "column"));
    }
}

void CatalogReader::read_foreign_keys() {
    std::uint32_t current = 0;
    for (const pqxx::row& row : transaction_.exec_params(queries::foreign_keys, oids_)) {
        if (oid(row, "key") != current)
            catalog_.foreign_keys.push_back({text_of(row, "name"),
                                             catalog_.relations[places_.at(oid(row, "source"))].id(),
                                             catalog_.relations[places_.at(oid(row, "target"))].id(),
                                             {}});
        current = oid(row, "key");
        catalog_.foreign_keys.back().columns.push_back({text_of(row, "source_column"), text_of(row, "target_column")});
    }
}

void CatalogReader::read_policies() {
    for (const pqxx::row& row : transaction_.exec_params(queries::policies, oids_))
        facts_[places_.at(oid(row, "relation"))].policies.push_back(catalog::read_query_tree(row["query"].c_str()));
}

std::vector<catalog::ProcedureFacts> CatalogReader::read_procedures() {
    std::vector<std::uint32_t> called;
    const auto add = [&](const catalog::QueryFacts& query) {
        called.insert(called.end(), query.functions.begin(), query.functions.end());
    };
    for (const RelationFacts& facts : facts_) {
        add(facts.query);
        for (const catalog::QueryFacts& policy : facts.policies) add(policy);
    }
    std::vector<catalog::ProcedureFacts> procedures;
    for (const pqxx::row& row : transaction_.exec_params(queries::procedures, array_text(called)))
        procedures.push_back({oid(row, "oid"), text_of(row, "name"), volatility_of(row)});
    return procedures;
}

void CatalogReader::read_settings() {
    std::string query = queries::role_settings;
    constexpr int granting_version = 150000;
    if (catalog_.server_version >= granting_version) query += queries::or_granted;
    for (const pqxx::row& row : transaction_.exec(query + queries::role_settings_end)) {
        const std::string role = text_of(row, "role");
        if (catalog_.role_settings.empty() || catalog_.role_settings.back().role != role)
            catalog_.role_settings.push_back({role, {}});
        catalog_.role_settings.back().settings.emplace_back(text_of(row, "name"), text_of(row, "value"));
    }
    for (const pqxx::row& row : transaction_.exec(queries::timezones)) catalog_.timezones.push_back(text_of(row, "name"));
    catalog_.schema_comment = transaction_.exec_params(queries::schema_comment, schemas_)[0][0].as<std::string>();
}

}  // namespace millrace::pg
