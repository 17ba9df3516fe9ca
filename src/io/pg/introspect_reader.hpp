// Rows of pg_catalog → a Catalog.
#pragma once

#include <cstdint>
#include <map>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/core/catalog.hpp"

namespace millrace::pg {

// An array's text form, each element quoted.
[[nodiscard]] std::string array_text(const std::vector<std::string>& items);
[[nodiscard]] std::string array_text(const std::vector<std::uint32_t>& oids);

class CatalogReader {
public:
    CatalogReader(pqxx::transaction_base& transaction, const std::vector<std::string>& schemas)
        : transaction_(transaction), schemas_(array_text(schemas)) {}

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
    void read_parameters(const std::unordered_map<std::uint32_t, std::size_t>& functions);

    pqxx::transaction_base& transaction_;
    std::string schemas_, oids_, role_;
    catalog::Catalog catalog_;
    std::map<std::uint32_t, catalog::RelationFacts> reached_;  // by oid, until the relations are read
    std::vector<catalog::RelationFacts> facts_;                // of the relation at the same place
    std::unordered_map<std::uint32_t, std::size_t> places_;    // oid → place in relations
};

}  // namespace millrace::pg
