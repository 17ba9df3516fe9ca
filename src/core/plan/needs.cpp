// Tells what a plan needs of its transaction: a plain anonymous read needs nothing, and is one statement.
#include <algorithm>
#include <array>

#include "millrace/core/plan.hpp"

namespace millrace::plan {
namespace {

constexpr std::uint32_t first_user_oid = 16384;  // Postgres: FirstNormalObjectId

constexpr std::array own_types = {"text",    "varchar", "char",     "bpchar",  "int",        "integer", "int2",   "int4",
                                  "int8",    "bigint",  "smallint", "numeric", "decimal",    "real",    "float4", "float8",
                                  "boolean", "bool",    "json",     "jsonb",   "date",       "time",    "timetz", "timestamp",
                                  "uuid",    "bytea",   "interval", "inet",    "timestamptz"};

bool is_foreign(const std::string& cast) { return !cast.empty() && std::ranges::find(own_types, cast) == own_types.end(); }

// Enums compare by operators of pg_catalog, whatever their names.
bool is_foreign(const Field& field) {
    return field.column != nullptr && field.column->base_type_oid >= first_user_oid && field.column->enum_values.empty();
}

bool uses_search_path(const Filter& filter) {
    if (const auto* condition = std::get_if<Condition>(&filter.node))
        return is_foreign(condition->field) || !condition->test.language.empty();
    const auto* junction = std::get_if<Junction>(&filter.node);
    return junction != nullptr &&
           std::ranges::any_of(junction->children, [](const Filter& child) { return uses_search_path(child); });
}

bool uses_search_path(const ReadNode& node) {
    const auto foreign_output = [](const OutputColumn& column) {
        return is_foreign(column.cast) || is_foreign(column.aggregate_cast) ||
               (column.aggregate != request::Aggregate::none && is_foreign(column.field));
    };
    return std::ranges::any_of(node.columns, foreign_output) ||
           std::ranges::any_of(node.filters, [](const Filter& filter) { return uses_search_path(filter); }) ||
           std::ranges::any_of(node.orders, [](const Order& order) { return is_foreign(order.field); }) ||
           std::ranges::any_of(node.embeds, [](const ReadNode& embed) { return uses_search_path(embed); });
}

}  // namespace

Needs needs_of(const Plan& plan, const catalog::Catalog& catalog) {
    Needs needs;
    const auto* read = std::get_if<Read>(&plan);
    const auto* call = std::get_if<Call>(&plan);
    needs.writes = read == nullptr && (call == nullptr || !call->read_only);
    needs.search_path = read == nullptr || uses_search_path(read->root);
    if (const auto called = read == nullptr ? std::nullopt : most_volatile_function(read->root)) {
        needs.search_path = true;  // for what is inside of the function
        needs.session = *called != catalog::Volatility::immutable;
        needs.may_change = *called == catalog::Volatility::is_volatile;
    }
    if (call != nullptr) needs.session = needs.may_change = true;  // who knows what a function looks at
    for (const catalog::Relation* relation : relations_behind(plan, catalog)) {
        needs.session = needs.session || relation->row_security || relation->reads_session || relation->is_volatile;
        needs.may_change = needs.may_change || relation->is_volatile;
    }
    return needs;
}

}  // namespace millrace::plan
