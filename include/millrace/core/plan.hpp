// A request understood: every name resolved against what the version shows. ApiRequest × ApiCatalog → Plan.
#pragma once

#include <memory>
#include <optional>
#include <string>
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
    std::string key;  // in the reply's objects
    Field field;
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
    std::string key;                     // of an embed, in its parent's objects
    const routes::Link* link = nullptr;  // of an embed: how it hangs on its parent
    request::JoinKind join = request::JoinKind::left;
    bool spread = false;
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

struct Insert {
    const routes::Resource* resource = nullptr;
    std::vector<const catalog::Column*> columns;  // in the payload's order
    std::vector<std::string> keys;                // the payload's names of them
    request::Payload payload;
    request::Resolution resolution = request::Resolution::none;
    std::vector<const catalog::Column*> conflict;  // on_conflict, or the primary key
    bool missing_default = false;
    std::optional<ReadNode> returning;  // of return=representation
};
struct Update {
    const routes::Resource* resource = nullptr;
    std::vector<const catalog::Column*> columns;
    std::vector<std::string> keys;
    request::Payload payload;
    std::vector<Filter> filters;
    std::optional<ReadNode> returning;
};
struct Remove {
    const routes::Resource* resource = nullptr;
    std::vector<Filter> filters;
    std::optional<ReadNode> returning;
};

using Plan = std::variant<Read, Insert, Update, Remove>;

// Fails with no_column, no_relationship, ambiguous_relationship, not_embedded, related_order_not_to_one, bad_body, … as
// PostgREST does, with hints that name only what the version shows.
[[nodiscard]] Result<Plan> make_plan(const request::ApiRequest& request, std::string_view body, const routes::ApiCatalog& api,
                                     const routes::Resource& resource);

// Base tables whose change changes the answer of a read, sorted; for a write, the tables it changes.
[[nodiscard]] std::vector<std::string> tables_behind(const Plan& plan);

}  // namespace millrace::plan
