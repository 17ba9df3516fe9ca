// Rows of pg_catalog → a Catalog.
#pragma once

#include <cstdint>
#include <map>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <vector>

#include "introspect_rows.hpp"
#include "millrace/core/catalog.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {

// What of the database is looked at besides the exposed schemas, and how it is known that a table tells of its changes.
struct Scope {
    const std::vector<std::string>& extra_schemas;
    const std::vector<std::string>& relations;
    WatchedBy watched_by;
};

class CatalogReader {
public:
    CatalogReader(pqxx::transaction_base& transaction, const std::vector<std::string>& schemas, const Scope& scope);

    catalog::Catalog read(const std::string& anonymous_role);

private:
    void read_server(const std::string& anonymous_role);
    void read_reach();
    void read_relations();
    void read_columns();
    void read_keys();
    void read_foreign_keys();
    void read_policies();
    [[nodiscard]] std::vector<catalog::ProcedureFacts> read_procedures();

    void read_functions();
    void read_arguments();
    void read_results();
    void settle_result(catalog::Function& function) const;

    void read_row_functions();
    void add_computed(const pqxx::row& row);
    void add_relationship(const pqxx::row& row);
    void read_media_handlers();
    void read_settings();

    pqxx::transaction_base& transaction_;
    WatchedBy watched_by_;
    std::string schemas_, all_schemas_;  // those that are exposed; and with them those whose functions count
    std::string relations_;              // besides those of the schemas
    std::string oids_, role_;
    Types types_;
    catalog::Catalog catalog_;
    std::map<std::uint32_t, catalog::RelationFacts> reached_;   // by oid, until the relations are read
    std::vector<catalog::RelationFacts> facts_;                 // of the relation at the same place
    std::unordered_map<std::uint32_t, std::size_t> places_;     // oid → place in relations
    std::unordered_map<std::uint32_t, std::size_t> rows_;       // oid of the row's type → place in relations
    std::unordered_map<std::uint32_t, std::size_t> functions_;  // oid → place in functions
    std::unordered_map<std::uint32_t, std::vector<catalog::Column>> composites_;  // oid of the type → its columns
};

}  // namespace millrace::pg
