// A tree of relations as one SELECT.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// Taken once for all rows; where there is one at most, the bare function spares Postgres a plan of its own for that.
constexpr std::string_view snapshot_of_row = "pg_current_snapshot()";
constexpr std::string_view snapshot = "(SELECT pg_current_snapshot())";

struct ReadOptions {
    std::string_view source;     // a CTE that stands for the root's relation; empty: the relation itself
    bool want_snapshot = false;  // as a last column
    bool one_row = false;        // the filters leave one row at most, so the window need not
    Output output = Output::json;
    bool mark_rows = false;            // a last column that is true: an outer join shows by it whether there is a row
    const plan::Call* call = nullptr;  // a function that stands for the root's relation
};

// Appends the statement and tells what its columns are.
void append_read(Writer& out, const plan::ReadNode& root, const ReadOptions& options, std::vector<OutputCell>& cells);

// SELECT count(*) of the rows that the filters leave, windows not looked at; beyond `most` it stops (0: never). `source` is a
// CTE that stands for the root's relation.
void append_count(Writer& out, const plan::ReadNode& root, std::int64_t most, std::string_view source = {});

// How many rows Postgres thinks there are, as EXPLAIN's JSON.
void append_count_plan(Writer& out, const plan::ReadNode& root);

// The outputs of a node without embeds, as RETURNING takes them.
void append_returning(Writer& out, const plan::ReadNode& root, Output output, std::vector<OutputCell>& cells);

// Columns of the catalog that the node itself needs: its outputs, its orders and the ends of its embeds' joins.
[[nodiscard]] std::vector<std::string_view> needed_columns(const plan::ReadNode& node);

// Functions of the node's rows are called, so that the whole row is needed too.
[[nodiscard]] bool needs_row(const plan::ReadNode& node);

// " WHERE …" of a write; nothing when there are no filters.
void append_where(Writer& out, const std::vector<plan::Filter>& filters, Alias alias);

// The root's rows that the filters leave, locked.
void append_lock(Writer& out, const plan::ReadNode& root);

}  // namespace millrace::sql
