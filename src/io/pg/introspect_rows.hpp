// Cells of pg_catalog as values.
#pragma once

#include <cstdint>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "millrace/core/catalog.hpp"

namespace millrace::pg {

// An array's text form, each element quoted.
[[nodiscard]] std::string array_text(const std::vector<std::string>& items);
[[nodiscard]] std::string array_text(const std::vector<std::uint32_t>& oids);

[[nodiscard]] std::uint32_t oid(const pqxx::row& row, const char* column);
[[nodiscard]] std::string text_of(const pqxx::row& row, const char* column);
[[nodiscard]] bool flag(const pqxx::row& row, const char* column);
[[nodiscard]] std::vector<std::string> items_of(const pqxx::field& field);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> settings_of(const pqxx::field& field);  // of name=value

[[nodiscard]] catalog::Volatility volatility_of(const pqxx::row& row);
[[nodiscard]] catalog::TypeCategory category_of(const pqxx::row& row);
[[nodiscard]] catalog::RoutineName routine_of(const pqxx::row& row);

// What a domain adds to its base type, or an enum's labels.
struct NamedType {
    std::uint32_t base = 0;
    bool not_null = false, has_fallback = false;
    std::string name{}, fallback{};
    int modifier = -1;
    std::vector<std::string> labels{};
    catalog::Representation represented{};
};

class Types {
public:
    void read(pqxx::transaction_base& transaction);
    [[nodiscard]] std::uint32_t base_of(std::uint32_t type) const;
    // From name and type, and what follows from it.
    [[nodiscard]] catalog::Column column_of(const pqxx::row& row) const;
    // A relation's, with all that is stored of it.
    [[nodiscard]] catalog::Column stored_column_of(const pqxx::row& row) const;
    // Like "text/html" or "*/*", when the type is a domain with such a name; else empty.
    [[nodiscard]] std::string media_type(std::uint32_t type) const;
    [[nodiscard]] std::vector<std::uint32_t> media_types() const;

private:
    std::unordered_map<std::uint32_t, NamedType> named_;  // by oid
};

}  // namespace millrace::pg
