// A request understood: every name resolved against what the version shows. ApiRequest × ApiCatalog → Plan.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::plan {

// A column of the catalog, perhaps with a way into its JSON.
struct Field {
    const catalog::Column* column = nullptr;
    std::vector<request::JsonStep> json;
};

struct OutputColumn {
    std::string key;   // in the reply's objects
    Field field;       // of count(): no column
    std::string cast;  // a type's name as written: checked against the grammar of type names
    request::Aggregate aggregate = request::Aggregate::none;
    std::string aggregate_cast;
};

struct Condition {
    Field field;
    request::Condition test;  // what to compare with; its own field is not read again
};
struct Filter;
struct Junction {
    bool negated = false, any = false;
    std::vector<Filter> children;
};
// Rows of this node for which the embed with that key is (not) there: "clients=is.null" on an embed.
struct EmbedTest {
    std::string key;
    bool present = true;
};
struct Filter {
    std::variant<Condition, Junction, EmbedTest> node;
};

struct Order {
    std::string embed_key;  // a to-one embed's key when the column is of that
    Field field;
    bool descending = false;
    std::optional<bool> nulls_first;
};

// One relation in the tree of a read: the root or an embed.
struct ReadNode {
    const routes::Resource* resource = nullptr;
    std::string name;                    // of an embed, as the select wrote it
    std::string key;                     // of an embed, in its parent's objects: its alias, else its name
    const routes::Link* link = nullptr;  // of an embed: how it hangs on its parent
    request::JoinKind join = request::JoinKind::left;
    bool spread = false;
    bool shown = true;                  // of an embed: false for "clients()", which only filters
    bool named_by_relation = false;     // of an embed: a filter, order or window called it by `name`, not by its alias
    std::vector<OutputColumn> columns;  // in order of the select
    std::vector<Filter> filters;        // all must hold
    std::vector<Order> orders;
    request::Window window;  // limit already cut to the policy's page size
    std::vector<ReadNode> embeds;
};

struct Read {
    ReadNode root;
    request::CountKind count = request::CountKind::none;
    bool by_full_key = false;  // eq on every column of the primary key at the root, and nothing else: one row at most
};

// PUT: the payload's value of this column must be the one in the URL.
struct KeyMatch {
    std::size_t column = 0;  // index into Insert::columns
    std::string value;
};

struct Insert {
    const routes::Resource* resource = nullptr;
    std::vector<const catalog::Column*> columns;  // in the payload's order
    std::vector<std::string> keys;                // the payload's names of them
    request::Payload payload;
    bool missing_default = false;  // what an object lacks becomes its column's default rather than null
    request::Resolution resolution = request::Resolution::none;
    std::vector<const catalog::Column*> conflict;  // on_conflict, or the primary key
    std::vector<KeyMatch> matching;                // of PUT only; the write must then hit exactly one row
    // What the write returns: the select of return=representation, or the primary key when Location is wanted.
    std::optional<ReadNode> returning;
};
struct Update {
    const routes::Resource* resource = nullptr;
    std::vector<const catalog::Column*> columns;
    std::vector<std::string> keys;
    request::Payload payload;
    bool missing_default = false;
    std::vector<Filter> filters;
    std::optional<ReadNode> returning;
};
struct Remove {
    const routes::Resource* resource = nullptr;
    std::vector<Filter> filters;
    std::optional<ReadNode> returning;
};

// A call of a function, and a read of the rows that it returns.
struct Call {
    const catalog::Function* function = nullptr;
    // Those that are given, in the function's order; the others have defaults. A single one without a name takes the body.
    std::vector<const catalog::Parameter*> parameters;
    // Of each parameter, as text; of a variadic one an array literal. Empty: they are members of `body`.
    std::vector<std::string> values;
    std::string body;  // JSON, or what the single unnamed parameter takes
    bool body_is_array = false;
    bool read_only = false;  // of GET and HEAD, and of functions that say that they change nothing
    ReadNode rows;           // its resource is Overload::result
    request::CountKind count = request::CountKind::none;
};

using Plan = std::variant<Read, Insert, Update, Remove, Call>;

struct Options {
    bool aggregates = false;          // sum(), count(), … in selects (PostgREST: db-aggregates-enabled)
    bool legacy_target_names = true;  // filters on an embed may use its relation's name although it has an alias
    // Which resources the caller may use: others are not there for him. Nothing: all that the version shows.
    std::function<bool(const routes::Resource&)> may_use{};
};

// Embeds are resolved by the resource's links, so a plan reaches only what the version shows. Fails with no_column,
// no_relationship, ambiguous_relationship, not_embedded, related_order_not_to_one, … as PostgREST does, with hints that name
// only what the version shows.
[[nodiscard]] Result<Plan> make_plan(const request::ApiRequest& request, request::Payload payload,
                                     const routes::Resource& resource, const Options& options = {});

// Chooses among the functions of a name by the names of the arguments (PostgREST, "Functions as RPC", "Overloaded functions").
// Fails with no_function or ambiguous_function, and as a read does.
[[nodiscard]] Result<Plan> make_call(const request::ApiRequest& request, request::Payload payload,
                                     const routes::ApiCatalog& api, const routes::ApiFunction& function,
                                     const Options& options = {});

// The same from a body as it was sent; fails with bad_body as well.
[[nodiscard]] Result<Plan> make_plan(const request::ApiRequest& request, std::string_view body,
                                     const routes::Resource& resource, const Options& options = {});

// What a plan needs of its transaction.
struct Needs {
    bool session = false;      // role, claims or settings may change what it gives
    bool search_path = false;  // types, operators or configurations that are not Postgres' own are looked for by name
    bool writes = false;
    bool may_change = false;  // it calls what may change the database, though it is a read
};
[[nodiscard]] Needs needs_of(const Plan& plan, const catalog::Catalog& catalog);

// Every relation that a plan touches: root (of a call the type of its rows), embeds, junctions that the version need not show.
// What an answer may be kept for (row security, volatility) depends on each of them.
[[nodiscard]] std::vector<const catalog::Relation*> relations_behind(const Plan& plan, const catalog::Catalog& catalog);

// The most volatile of the functions that it calls for computed columns and relationships and for representations; nothing
// when it calls none. Nobody sees into them: unless they are immutable they may read anything, the session and the clock too.
[[nodiscard]] std::optional<catalog::Volatility> most_volatile_function(const ReadNode& rows);

// Embeds that filters, orders or windows call by their relation's name although they have an alias, which is deprecated.
struct LegacyName {
    std::string name, alias;
};
[[nodiscard]] std::vector<LegacyName> legacy_names(const Plan& plan);

// Tags of the base tables whose change changes the answer of a read, sorted; for a write, of the tables it changes.
[[nodiscard]] std::vector<std::string> tables_behind(const Plan& plan, const catalog::Catalog& catalog);

// The same where no catalog is at hand: enough for a write, and for a read as long as its junctions are plain tables.
[[nodiscard]] std::vector<std::string> tables_behind(const Plan& plan);

}  // namespace millrace::plan
