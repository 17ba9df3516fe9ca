// What Postgres has: relations, columns, keys, relationships, functions and privileges, as immutable values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace millrace::catalog {

enum class RelationKind : std::uint8_t { table, partitioned_table, view, materialized_view, foreign_table };

struct Column {
    std::string name;
    std::string type;  // format_type(): "integer", "character varying(40)", "text[]", "shop.mood"
    std::uint32_t type_oid = 0;
    std::uint32_t base_type_oid = 0;  // of a domain; else the same
    int position = 0;                 // attnum
    bool nullable = true;
    bool has_default = false;  // DEFAULT, identity or generated
    bool generated = false;    // cannot be written
    std::string comment;
    std::vector<std::string> enum_values;
};

struct Privileges {
    bool select = false, insert = false, update = false, del = false;
};

struct Relation {
    std::string schema, name;
    RelationKind kind = RelationKind::table;
    std::vector<Column> columns;
    std::vector<std::string> primary_key;  // column names in key order
    std::vector<std::vector<std::string>> unique_keys;
    std::string comment;
    Privileges anonymous;                                        // of the anonymous role
    bool insertable = true, updatable = true, deletable = true;  // views: by rule, trigger or being simple
    bool row_security = false;                                   // of itself or of a table behind it
    bool is_volatile = false;              // a view that calls volatile functions or now(): tags do not tell when it changes
    std::vector<std::string> base_tables;  // "schema.table" of every table behind it, itself included when it is one; sorted

    [[nodiscard]] const Column* column(std::string_view wanted) const;
    [[nodiscard]] std::string id() const { return schema + "." + name; }
};

enum class Cardinality : std::uint8_t { many_to_one, one_to_many, one_to_one_out, one_to_one_in, many_to_many };

[[nodiscard]] inline bool to_one(Cardinality c) {
    return c == Cardinality::many_to_one || c == Cardinality::one_to_one_out || c == Cardinality::one_to_one_in;
}

struct ColumnPair {
    std::string from, to;
};

struct Junction {  // many_to_many only
    std::string schema, name, first_constraint, second_constraint;
    std::vector<ColumnPair> from_source;  // source column, junction column
    std::vector<ColumnPair> to_target;    // junction column, target column
};

// A way from one relation to another: a foreign key read in either direction, or through a junction table.
struct Relationship {
    std::string source;  // Relation::id()
    std::string target;
    Cardinality cardinality = Cardinality::many_to_one;
    std::string constraint;           // of a many_to_many: empty
    std::vector<ColumnPair> columns;  // source column, target column; many_to_many: empty
    std::optional<Junction> junction;
    bool self = false;
};

struct Parameter {
    std::string name, type;
    bool has_default = false, variadic = false;
};
enum class Volatility : std::uint8_t { immutable, stable, is_volatile };
struct Function {
    std::string schema, name, return_type, comment;
    std::vector<Parameter> parameters;
    bool returns_set = false, returns_void = false, returns_composite = false;
    Volatility volatility = Volatility::is_volatile;
    bool anonymous_may_execute = false;
};

struct ForeignKey {
    std::string constraint;
    std::string from, to;  // Relation::id()
    std::vector<ColumnPair> columns;
};

struct Catalog {
    std::vector<Relation> relations;
    std::vector<ForeignKey> foreign_keys;
    std::vector<Relationship> relationships;
    std::vector<Function> functions;
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
    int server_version = 0;         // 150004
    std::uint64_t fingerprint = 0;  // of everything above: equal catalogs, equal fingerprints

    [[nodiscard]] const Relation* find(std::string_view schema, std::string_view name) const;
    [[nodiscard]] const Relation* find_id(std::string_view id) const;
};

// Every foreign key in both directions, one-to-one where the referencing columns are unique, and many-to-many through tables
// whose primary key holds two foreign keys (PostgREST, "Resource Embedding").
[[nodiscard]] std::vector<Relationship> derive_relationships(const std::vector<Relation>& relations,
                                                             const std::vector<ForeignKey>& keys);

}  // namespace millrace::catalog
