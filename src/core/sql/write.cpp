// Writes inserts, upserts, updates and deletes; their rows come from one JSON parameter, whatever their number.
#include "write.hpp"

#include "read.hpp"
#include "tree.hpp"

namespace millrace::sql {
namespace {

constexpr std::string_view returned = "pgrst_source";
constexpr Alias body_alias{'b', 0};
constexpr ReadOptions after_write{.source = returned, .want_snapshot = false, .one_row = false};

using Columns = std::vector<const catalog::Column*>;

void append_names(Writer& out, const Columns& columns) {
    std::string_view separator;
    for (const catalog::Column* column : columns) {
        (out << separator).identifier(column->name);
        separator = ", ";
    }
}

// json_to_recordset($1::json) AS b0("key" type, …): the payload as rows of the columns' types.
void append_recordset(Writer& out, const request::Payload& payload, const Columns& columns,
                      const std::vector<std::string>& keys) {
    std::string rows = payload.is_array ? payload.json : "[" + payload.json + "]";
    out << (columns.empty() ? "json_array_elements(" : "json_to_recordset(");
    out.parameter(std::move(rows)) << "::json) AS " << body_alias;
    if (columns.empty()) return;
    std::string_view separator = "(";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        (out << separator).identifier(keys[i]) << ' ' << columns[i]->type;
        separator = ", ";
    }
    out << ')';
}

// Rows that need embeds, an order or aggregates are read from the write as a CTE; others come straight from RETURNING.
bool needs_cte(const std::optional<plan::ReadNode>& returning) {
    return returning && (!returning->embeds.empty() || !returning->orders.empty() || has_aggregates(*returning));
}

void open_cte(Writer& out, const std::optional<plan::ReadNode>& returning) {
    if (needs_cte(returning)) out << "WITH " << returned << " AS (";
}

void append_needed(Writer& out, const plan::ReadNode& root) {
    const std::vector<std::string_view> columns = needed_columns(root);
    std::string_view separator;
    for (const std::string_view column : columns) {
        (out << separator).column(root_alias, column);
        separator = ", ";
    }
    if (needs_row(root)) {
        (out << separator << root_alias << " AS ").identifier(carried_row);
    } else if (columns.empty()) {
        out << '1';
    }
}

void close_with_returning(Writer& out, const std::optional<plan::ReadNode>& returning, std::vector<OutputCell>& cells) {
    if (!returning) return;
    out << " RETURNING ";
    if (!needs_cte(returning)) return append_returning(out, *returning, cells);
    append_needed(out, *returning);
    out << ") ";
    append_read(out, *returning, after_write, cells);
}

// Rows of a PUT must have the key of the URL.
void append_matching(Writer& out, const plan::Insert& insert) {
    Conjunction conjunction(out, " WHERE ");
    for (const plan::KeyMatch& match : insert.matching) {
        conjunction.next().column(body_alias, insert.keys[match.column]) << " = ";
        out.parameter(match.value);
    }
}

void append_conflict(Writer& out, const plan::Insert& insert) {
    if (insert.resolution == request::Resolution::none || insert.conflict.empty()) return;
    out << " ON CONFLICT (";
    append_names(out, insert.conflict);
    if (insert.resolution == request::Resolution::ignore_duplicates || insert.columns.empty()) {
        out << ") DO NOTHING";
        return;
    }
    std::string_view separator = ") DO UPDATE SET ";
    for (const catalog::Column* column : insert.columns) {
        (out << separator).identifier(column->name) << " = EXCLUDED.";
        out.identifier(column->name);
        separator = ", ";
    }
}

void append_insert_columns(Writer& out, const plan::Insert& insert) {
    if (!insert.columns.empty()) {
        out << " (";
        append_names(out, insert.columns);
        out << ')';
    }
    out << " SELECT";
    std::string_view separator = " ";
    for (const std::string& key : insert.keys) {
        (out << separator).column(body_alias, key);
        separator = ", ";
    }
}

void append_set(Writer& out, const plan::Update& update) {
    std::string_view separator = " SET ";
    for (std::size_t i = 0; i < update.columns.size(); ++i) {
        (out << separator).identifier(update.columns[i]->name) << " = ";
        out.column(body_alias, update.keys[i]);
        separator = ", ";
    }
}

// An update of no columns would be no SQL: it changes nothing, and what it returns has the right columns but no rows.
void append_empty_update(Writer& out, const plan::Update& update, std::vector<OutputCell>& cells) {
    if (!update.returning) {
        out << "SELECT WHERE false";
        return;
    }
    out << "WITH " << returned << " AS (SELECT ";
    append_needed(out, *update.returning);
    out << " FROM ";
    out.relation(*update.resource->relation) << " AS " << root_alias << " WHERE false) ";
    append_read(out, *update.returning, after_write, cells);
}

}  // namespace

void append_write(Writer& out, const plan::Insert& insert, std::vector<OutputCell>& cells) {
    open_cte(out, insert.returning);
    out << "INSERT INTO ";
    out.relation(*insert.resource->relation) << " AS " << root_alias;
    append_insert_columns(out, insert);
    out << " FROM ";
    append_recordset(out, insert.payload, insert.columns, insert.keys);
    append_matching(out, insert);
    append_conflict(out, insert);
    close_with_returning(out, insert.returning, cells);
}

void append_write(Writer& out, const plan::Update& update, std::vector<OutputCell>& cells) {
    if (update.columns.empty()) return append_empty_update(out, update, cells);
    open_cte(out, update.returning);
    out << "UPDATE ";
    out.relation(*update.resource->relation) << " AS " << root_alias;
    append_set(out, update);
    out << " FROM ";
    append_recordset(out, update.payload, update.columns, update.keys);
    append_where(out, update.filters, root_alias);
    close_with_returning(out, update.returning, cells);
}

void append_write(Writer& out, const plan::Remove& remove, std::vector<OutputCell>& cells) {
    open_cte(out, remove.returning);
    out << "DELETE FROM ";
    out.relation(*remove.resource->relation) << " AS " << root_alias;
    append_where(out, remove.filters, root_alias);
    close_with_returning(out, remove.returning, cells);
}

}  // namespace millrace::sql
