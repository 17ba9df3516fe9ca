// Writes the statements of a read: its rows, their total, and the same outputs behind a write.
#include "read.hpp"

#include <algorithm>

#include "tree.hpp"

namespace millrace::sql {
namespace {

constexpr std::string_view snapshot = "(SELECT pg_current_snapshot()::text)";

void append_source(Writer& out, const plan::ReadNode& root, std::string_view source) {
    out << " FROM ";
    if (source.empty()) {
        out.relation(*root.resource->relation);
    } else {
        out << source;
    }
    out << " AS " << root_alias;
}

// A row without columns could not be counted.
void append_extra(Writer& out, const Outputs& list, bool want_snapshot) {
    if (want_snapshot) {
        out << (list.empty() ? "" : ", ") << snapshot;
    } else if (list.empty()) {
        out << "NULL";
    }
}

// The rows that the filters leave.
void append_matches(Writer& out, const plan::ReadNode& root) {
    Tree tree(out);
    append_source(out, root, {});
    tree.conditions(root, root_alias, root_alias, Tree::Joined::none, " WHERE ");
}

}  // namespace

void append_read(Writer& out, const plan::ReadNode& root, const ReadOptions& options, std::vector<OutputCell>& cells) {
    Tree tree(out);
    const Place at = tree.place(root, root_alias, root_alias);
    Outputs list(out, Naming::cells, has_aggregates(root), false, &cells);
    out << "SELECT ";
    tree.outputs(root, at, list);
    append_extra(out, list, options.want_snapshot);
    append_source(out, root, options.source);
    tree.joins(root, at);
    tree.conditions(root, root_alias, root_alias, Tree::Joined::to_one, " WHERE ");
    list.group_by();
    tree.order(root, at);
    if (!options.one_row) tree.window(root);
}

void append_count(Writer& out, const plan::ReadNode& root, std::int64_t most) {
    out << "SELECT count(*)";
    if (most == 0) return append_matches(out, root);
    out << " FROM (SELECT 1";
    append_matches(out, root);
    (out << " LIMIT ").parameter(most) << ") AS x0";
}

void append_count_plan(Writer& out, const plan::ReadNode& root) {
    out << "EXPLAIN (FORMAT JSON) SELECT 1";
    append_matches(out, root);
}

void append_returning(Writer& out, const plan::ReadNode& root, std::vector<OutputCell>& cells) {
    Outputs list(out, Naming::cells, false, false, &cells);
    for (const plan::OutputColumn& column : root.columns) list.column(column, root_alias);
    append_extra(out, list, false);
}

std::vector<std::string_view> needed_columns(const plan::ReadNode& node) {
    std::vector<std::string_view> out;
    for (const plan::OutputColumn& column : node.columns)
        if (column.field.column != nullptr) out.emplace_back(column.field.column->name);
    for (const plan::Order& order : node.orders)
        if (order.embed_key.empty()) out.emplace_back(order.field.column->name);
    for (const plan::ReadNode& embed : node.embeds) {
        const catalog::Relationship& way = *embed.link->relationship;
        for (const catalog::ColumnPair& pair : way.junction ? way.junction->from_source : way.columns)
            out.emplace_back(pair.from);
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
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
