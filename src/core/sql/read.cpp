// Writes the statements of a read: its rows, their total, and the same outputs behind a write.
#include "read.hpp"

#include <algorithm>

#include "call.hpp"
#include "tree.hpp"

namespace millrace::sql {
namespace {

void append_source(Writer& out, const plan::ReadNode& root, std::string_view source) {
    out << " FROM ";
    if (source.empty()) {
        out.relation(*root.resource->relation);
    } else {
        out << source;
    }
    out << " AS " << root_alias;
}

// A row without columns could not be counted; in a body it is an object without keys.
void append_extra(Writer& out, const Outputs& list, const ReadOptions& options) {
    if (options.want_snapshot || options.mark_rows) {
        out << (list.empty() ? "" : ", ") << (options.want_snapshot ? snapshot : "true");
    } else if (list.empty() && options.output != Output::body) {
        out << "NULL";
    }
}

Naming naming_of(Output output) {
    switch (output) {
        case Output::json:
            return Naming::cells;
        case Output::text:
            return Naming::texts;
        case Output::body:
            return Naming::keys;
    }
    return Naming::cells;
}

// The rows that the filters leave.
void append_matches(Writer& out, const plan::ReadNode& root, std::string_view source) {
    Tree tree(out);
    if (!source.empty()) out.carry_root_row();
    append_source(out, root, source);
    tree.conditions(root, root_alias, root_alias, Tree::Joined::none, " WHERE ");
}

}  // namespace

void append_read(Writer& out, const plan::ReadNode& root, const ReadOptions& options, std::vector<OutputCell>& cells) {
    Tree tree(out);
    if (!options.source.empty()) out.carry_root_row();
    const Place at = tree.place(root, root_alias, root_alias);
    Outputs list(out, naming_of(options.output), has_aggregates(root), false, &cells);
    out << "SELECT ";
    tree.outputs(root, at, list);
    append_extra(out, list, options);
    if (options.call != nullptr) {
        out << " FROM ";
        append_call_source(out, *options.call);
    } else {
        append_source(out, root, options.source);
    }
    tree.joins(root, at);
    tree.conditions(root, root_alias, root_alias, Tree::Joined::to_one, " WHERE ");
    list.group_by();
    tree.order(root, at);
    if (!options.one_row) tree.window(root);
}

// In a subquery that is counted, so that none of them is sent.
void append_lock(Writer& out, const plan::ReadNode& root) {
    out << "SELECT count(*) FROM (SELECT 1";
    append_matches(out, root, {});
    out << " FOR UPDATE OF " << root_alias << ") AS x0";
}

void append_count(Writer& out, const plan::ReadNode& root, std::int64_t most, std::string_view source) {
    out << "SELECT count(*)";
    if (most == 0) return append_matches(out, root, source);
    out << " FROM (SELECT 1";
    append_matches(out, root, source);
    (out << " LIMIT ").parameter(most) << ") AS x0";
}

void append_count_plan(Writer& out, const plan::ReadNode& root) {
    out << "EXPLAIN (FORMAT JSON) SELECT 1";
    append_matches(out, root, {});
}

void append_returning(Writer& out, const plan::ReadNode& root, Output output, std::vector<OutputCell>& cells) {
    Outputs list(out, naming_of(output), false, false, &cells);
    for (const plan::OutputColumn& column : root.columns) list.column(column, root_alias);
    append_extra(out, list, {.source = {}, .want_snapshot = false, .one_row = false, .output = output});
}

std::vector<std::string_view> needed_columns(const plan::ReadNode& node) {
    std::vector<std::string_view> out;
    for (const plan::OutputColumn& column : node.columns)
        if (column.field.column != nullptr && !column.field.column->computed) out.emplace_back(column.field.column->name);
    for (const plan::Order& order : node.orders)
        if (order.embed_key.empty() && !order.field.column->computed) out.emplace_back(order.field.column->name);
    for (const plan::ReadNode& embed : node.embeds) {
        const catalog::Relationship& way = *embed.link->relationship;
        for (const catalog::ColumnPair& pair : way.junction ? way.junction->from_source : way.columns)
            out.emplace_back(pair.from);
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

namespace {

bool computed(const plan::Field& field) { return field.column != nullptr && field.column->computed; }

bool computed(const plan::Filter& filter) {
    if (const auto* condition = std::get_if<plan::Condition>(&filter.node)) return computed(condition->field);
    const auto* junction = std::get_if<plan::Junction>(&filter.node);
    return junction != nullptr && std::ranges::any_of(junction->children, [](const auto& child) { return computed(child); });
}

}  // namespace

bool needs_row(const plan::ReadNode& node) {
    return std::ranges::any_of(node.columns, [](const plan::OutputColumn& column) { return computed(column.field); }) ||
           std::ranges::any_of(node.filters, [](const plan::Filter& filter) { return computed(filter); }) ||
           std::ranges::any_of(node.orders, [](const plan::Order& o) { return o.embed_key.empty() && computed(o.field); }) ||
           std::ranges::any_of(node.embeds, [](const plan::ReadNode& e) { return e.link->relationship->function.has_value(); });
}

void append_where(Writer& out, const std::vector<plan::Filter>& filters, Alias alias) {
    Tree tree(out);
    Conjunction conjunction(out, " WHERE ");
    for (const plan::Filter& each : filters) {
        conjunction.next();
        tree.filter(nullptr, each, alias);
    }
}

}  // namespace millrace::sql
