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

// A relation's name in one word, unique, and its tag in the cache: "schema.name", where what means something in tags and in
// lists of them ("% .#!*@" and line feeds) is percent-encoded inside a name. The migration's millrace.tag() writes the same.
[[nodiscard]] std::string tag_of(std::string_view schema, std::string_view name);
struct QualifiedName {
    std::string schema, name;
};
[[nodiscard]] std::optional<QualifiedName> parse_tag(std::string_view tag);

enum class RelationKind : std::uint8_t { table, partitioned_table, view, materialized_view, foreign_table };

// Where a column of a view comes from when it is a plain column of a table: Relation::id() of the table, and its column.
struct Origin {
    std::string relation, column;
};

enum class Volatility : std::uint8_t { immutable, stable, is_volatile };

struct RoutineName {
    std::string schema, name;
    Volatility volatility = Volatility::is_volatile;
};

// How values of a domain read and write: functions behind casts between it and json or text (PostgREST, "Domain
// Representations"). Unset: as the base type does.
struct Representation {
    std::optional<RoutineName> to_json{}, from_json{}, from_text{};
};

// pg_type.typcategory, as far as it matters here; of a domain that of its base type.
enum class TypeCategory : std::uint8_t { other, array, composite, boolean, number, text, time };

struct Column {
    std::string name{};
    std::string type{};  // format_type(): "integer", "character varying(40)", "text[]", "shop.mood"
    std::uint32_t type_oid = 0;
    std::uint32_t base_type_oid = 0;  // of a domain; else the same
    int position = 0;                 // attnum
    bool nullable = true;
    TypeCategory category = TypeCategory::other;
    bool has_default = false;                  // DEFAULT, identity or generated
    std::string default_expression{};          // of DEFAULT, a sequence or the domain, as SQL; empty: null
    bool generated = false;                    // always from an expression; Postgres refuses to write it
    std::optional<std::int32_t> length_max{};  // of character varying(n) and character(n)
    std::string comment{};
    std::vector<std::string> enum_values{};
    std::optional<Origin> origin{};  // views only, through chains of views
    std::optional<Representation> represented{};
    std::optional<RoutineName> computed{};  // a function of the row: no column that * means or that is written
};

struct Privileges {
    bool select = false, insert = false, update = false, del = false;
};

struct Relation {
    std::string schema{}, name{};
    RelationKind kind = RelationKind::table;
    std::vector<Column> columns{};
    std::vector<Column> computed{};          // PostgREST, "Computed Fields"
    std::vector<std::string> primary_key{};  // column names in key order
    // Of a view: its columns that are the primary keys of tables behind it. Rows need not be unique by them.
    std::vector<std::string> inferred_key{};
    std::vector<std::vector<std::string>> unique_keys{};
    std::string comment{};
    Privileges anonymous{};                                      // of the anonymous role
    bool insertable = true, updatable = true, deletable = true;  // views: by rule, trigger or being simple
    bool row_security = false;                                   // of itself or of a table behind it
    // Its tags do not tell when it changes: it calls volatile functions, the clock or functions that nobody sees into, or it
    // reads a foreign table or a system catalog.
    bool is_volatile = false;
    bool reads_session = false;  // the answer may depend on settings or the role, besides row_security
    bool reads_request = false;  // it names a setting with the request's headers, cookies, method or path
    bool partition = false;      // of a partitioned table: no resource unless a route table lists it
    bool watched = false;        // invalidation triggers are on every base table that can have them
    bool told_by_key = false;    // its triggers tell which rows changed, by the primary key as it is now
    // It is a materialized view or reads one: no trigger tells of its refresh, but an event trigger or polling does.
    bool reads_materialized = false;
    // Tags of every table behind it, itself included when it is one, with the tables they are partitions or children of, and
    // what their row security policies read; sorted. A materialized view is its own.
    std::vector<std::string> base_tables{};

    [[nodiscard]] const Column* column(std::string_view wanted) const;
    [[nodiscard]] std::string id() const { return tag_of(schema, name); }
    [[nodiscard]] const std::vector<std::string>& key() const { return primary_key.empty() ? inferred_key : primary_key; }
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
    std::string source{};  // Relation::id()
    std::string target{};
    Cardinality cardinality = Cardinality::many_to_one;
    std::string constraint{};           // of a many_to_many: empty
    std::vector<ColumnPair> columns{};  // source column, target column; many_to_many: empty
    std::optional<Junction> junction{};
    bool self = false;
    // A computed relationship: a function of the source's row that returns rows of the target. Its name is the embed's.
    std::optional<RoutineName> function{};
};

struct Parameter {
    std::string name{};  // empty: unnamed
    std::string type{};  // as SQL: of a variadic one the array's
    std::uint32_t type_oid = 0;
    TypeCategory category = TypeCategory::other;
    bool has_default = false, variadic = false;
};

// scalar: one value a row, domains and arrays too. composite: rows of a type. table: OUT parameters or RETURNS TABLE. record:
// rows whose columns only the call tells.
enum class ResultKind : std::uint8_t { is_void, scalar, composite, table, record };

struct Function {
    std::string schema{}, name{}, comment{};
    std::vector<Parameter> parameters{};  // IN, INOUT and VARIADIC
    ResultKind result = ResultKind::scalar;
    bool returns_set = false;
    bool one_row = false;       // of a set: declared with ROWS 1
    std::string return_type{};  // as SQL
    std::uint32_t return_type_oid = 0;
    std::string result_relation{};         // Relation::id() when the rows are those of a relation of the catalog
    std::vector<Column> result_columns{};  // of composite and table; of a scalar: one, named like the function
    std::string media_type{};              // the return type is a domain named like a media type: what its bytes are
    Volatility volatility = Volatility::is_volatile;
    std::vector<std::pair<std::string, std::string>> settings{};  // SET clauses
    bool anonymous_may_execute = false;
};

// Gives rows another representation: an aggregate over the rows whose result is a domain named like a media type (PostgREST,
// "Media Type Handlers").
struct MediaHandler {
    std::string media_type{};  // "*/*": any
    RoutineName function{};
    std::string relation{};  // Relation::id() of the rows' type; empty: of any
    // The domain is over bytea rather than text.
    bool binary = false;
};

// What a role's ALTER ROLE … SET says.
struct RoleSettings {
    std::string role{};
    std::vector<std::pair<std::string, std::string>> settings{};
};

struct ForeignKey {
    std::string constraint{};
    std::string from{}, to{};  // Relation::id()
    std::vector<ColumnPair> columns{};
};

// The text of a value of a key's column as Postgres itself writes it, when the value is written that way: what triggers and
// planner hash (fence::key_tag) must be the same. Nothing for other spellings, and for types with more than one.
[[nodiscard]] std::optional<std::string> key_text(const Column& column, std::string_view value);

// What to compare from time to time where nothing tells of a change.
struct State {
    std::string schema{};  // relations, columns, functions, policies, privileges
    std::string roles{};   // roles, memberships and what else no event trigger sees
    std::vector<std::pair<std::string, std::string>>
        refreshed{};         // Relation::id() of a materialized view, what its refresh changes
    std::string snapshot{};  // a pg_snapshot: in which all this was read
};

struct Difference {
    bool anything = false;               // what was read before may not be answered any more
    std::vector<std::string> refreshed;  // or only what was read of these materialized views
};
// With `ddl_watched` event triggers have told of the schema and of refreshes already.
[[nodiscard]] Difference difference(const State& known, const State& now, bool ddl_watched);

struct Catalog {
    std::vector<Relation> relations;
    std::vector<ForeignKey> foreign_keys;
    std::vector<Relationship> relationships;
    std::vector<Function> functions;  // by schema and name
    std::vector<MediaHandler> media_handlers;
    std::vector<RoleSettings> role_settings;  // of roles that the login role may become
    std::vector<std::string> timezones;       // names that Postgres knows, sorted
    std::string schema_comment;               // of the first schema, for OpenAPI
    bool ddl_watched = false;                 // event triggers tell of DDL, grants and refreshes
    State state;                              // when it was read; no part of what it says
    std::string anonymous_role;               // the login role where no other is
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
    // Another one after each recovery from a crash: xids that were given but never flushed are given again then, in the same
    // timeline. It is when the server's statistics began, which a crash resets and a restart does not. No part of the
    // fingerprint.
    std::int64_t incarnation = 0;
    int server_version = 0;         // 150004
    std::uint64_t fingerprint = 0;  // of everything above: equal catalogs, equal fingerprints

    // Found by hash once complete() was called, else by looking at each.
    [[nodiscard]] const Relation* find(std::string_view schema, std::string_view name) const;
    [[nodiscard]] const Relation* find_id(std::string_view id) const;

    std::vector<std::uint32_t> slots;  // open addressing: position in `relations` + 1, or 0; made by complete()
};

// Derives what follows from relations, foreign keys and functions: keys of views, relationships, fingerprint, hash index. Of
// relationships those by functions must be there; one takes the place of foreign keys' whose target has the function's name.
void complete(Catalog& catalog);
[[nodiscard]] std::uint64_t fingerprint_of(const Catalog& catalog);

// Every foreign key in both directions, one-to-one where the referencing columns are unique, and many-to-many through tables
// whose primary key holds two foreign keys (PostgREST, "Resource Embedding"). A view whose columns are all those of a foreign
// key, on either end, has it too. Sorted by source.
[[nodiscard]] std::vector<Relationship> derive_relationships(const std::vector<Relation>& relations,
                                                             const std::vector<ForeignKey>& keys);

// What the stored query of a view or a policy's expression (pg_node_tree) tells.
struct QueryFacts {
    struct Output {
        int position = 0;  // attnum of the view
        std::uint32_t relation_oid = 0;
        int column = 0;  // attnum there
    };
    std::vector<Output> outputs;           // columns that are plain columns of the relation
    std::vector<std::uint32_t> functions;  // oids, sorted; operators' too
    bool reads_clock = false;              // CURRENT_TIMESTAMP and its kin, TABLESAMPLE
    bool reads_role = false;               // CURRENT_USER and its kin
    bool reads_system = false;             // a relation of the system
    bool reads_request = false;            // the name of a setting with the request's headers, cookies, method or path
};
[[nodiscard]] QueryFacts read_query_tree(std::string_view node_tree);

// What introspection finds of a relation besides its Relation, by oid.
struct RelationFacts {
    std::uint32_t oid = 0;
    bool row_security = false, watched = false;  // of itself
    QueryFacts query{};                          // of a view
    std::vector<QueryFacts> policies{};          // that apply to reading, when row_security
    std::vector<std::uint32_t> reads{};          // relations in a view's query
    std::vector<std::uint32_t> policy_reads{};   // relations in its policies
    std::vector<std::uint32_t> parents{}, children{};
};
struct ProcedureFacts {
    std::uint32_t oid = 0;
    std::string name{};
    Volatility volatility = Volatility::is_volatile;
};
// facts[i] tells of catalog.relations[i]: fills in origins, base_tables, row_security, is_volatile, reads_session, watched.
void settle_dependencies(Catalog& catalog, const std::vector<RelationFacts>& facts,
                         const std::vector<ProcedureFacts>& procedures);

}  // namespace millrace::catalog
