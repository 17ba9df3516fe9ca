// Plan → statements. Identifiers come from the catalog and are quoted, values are parameters; and the rows that come back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/plan.hpp"

namespace millrace::sql {

// How a cell's text becomes JSON in the worker. Types that are none of these are wrapped in to_json() in SQL and arrive as
// json.
enum class CellKind : std::uint8_t {
    json,         // already JSON: integers, json, jsonb (to_json too)
    number,       // float4, float8, numeric: JSON, but NaN and Infinity become strings
    boolean,      // t, f
    text,         // needs JSON quoting and escaping
    plain,        // needs quotes only: uuid, date, time
    timestamp,    // "2026-01-01 10:00:00" → "2026-01-01T10:00:00"
    timestamptz,  // and its offset with minutes
};

struct OutputCell {
    std::string key;  // in the reply's objects
    CellKind kind = CellKind::text;
};

// What main's rows become, and where.
enum class Output : std::uint8_t {
    json,  // JSON in the worker
    text,  // cells as Postgres prints them, for CSV in the worker
    body,  // Postgres makes the body: one row, the number of rows and the body
};
enum class BodyKind : std::uint8_t {
    array,     // json_agg()
    object,    // the first of it
    csv,       // rows as Postgres prints them
    features,  // ST_AsGeoJSON() of each row as a FeatureCollection
    handler,   // an aggregate of the database
    value,     // the one value of a call is the body already
};
struct BodyForm {
    BodyKind kind = BodyKind::array;
    bool nulls_stripped = false;
    bool binary = false;                         // bytes rather than text: they come as hex
    catalog::RoutineName handler{};              // of BodyKind::handler
    bool of_value = false;                       // of a call that returns one value: the handler takes that, not a row
    const catalog::Relation* rows_of = nullptr;  // what the handler takes rows of; nothing: of anything
};
struct Explain {
    bool json = false, analyze = false, verbose = false, settings = false, buffers = false, wal = false;
};
struct Form {
    Output output = Output::json;
    BodyForm body{};                   // of Output::body
    std::optional<Explain> explain{};  // the plan rather than the answer
};

struct Statement {
    std::string text;                                    // with $1, $2, …
    std::vector<std::optional<std::string>> parameters;  // text format, untyped
    std::uint64_t shape = 0;                             // hash of text: the key of prepared statements and of measured times
    // Of a shape that several requests share: parameters that each request brings, by their place in its values.
    struct Slot {
        std::size_t parameter = 0, value = 0;
    };
    std::vector<Slot> slots{};
};

// What main's rows are: those of the answer; one with their number and the body; the lines of a plan.
enum class Answer : std::uint8_t { rows, body, plan };

// The first cells of Script::outcome.
enum OutcomeCell : std::uint8_t { outcome_xid, outcome_headers, outcome_status, outcome_told };

// What goes to Postgres for one request: statements that are one implicit transaction (one Sync), in order.
struct Script {
    std::vector<Statement> statements;
    std::size_t main = 0;                // the statement whose rows are the answer
    std::optional<std::size_t> count;    // the statement with the total, one row, one column
    std::optional<std::size_t> planned;  // the statement with EXPLAIN's JSON, whose estimate is the total
    std::int64_t count_max = 0;          // of an estimated count: beyond this many rows the plan's estimate counts; 0: none
    std::vector<OutputCell> cells;       // of main, in order of its columns; of an answer of rows
    Answer answer = Answer::rows;
    bool binary = false;        // the body is hex
    bool has_snapshot = false;  // main's last column is pg_current_snapshot(), not part of the answer
    // The statement before main that gives a snapshot which sees no more than main's: of a call one cell, of a read from a
    // standby StandbyCells.
    std::optional<std::size_t> snapshot;
    bool on_standby = false;
    std::optional<std::size_t> claim;  // the last of Session::first
    // Of a call with a count: main's last column is the total. In an answer of rows the one before says whether there is a row.
    bool has_total = false;
    // The statement with what the transaction has to say at its end, one row: the write's xid8 (null when it changed nothing),
    // the settings response.headers and response.status, and what triggers told of the change (millrace.invalidated).
    std::optional<std::size_t> outcome;
    bool rolls_back = false;  // nothing of it stays
    bool in_block = false;    // needs BEGIN: what it says of its transaction means nothing in an implicit one
    bool writes = false;
    bool counts_inserted = false;  // of an upsert: outcome's last cell is how many of its rows were new; null when it had none
    bool expects_one = false;  // of PUT: a write of any other number of rows is put_needs_all_keys and must not be committed

    // Is everything that status and fields say known before main's rows?
    [[nodiscard]] bool head_is_first() const {
        return !writes && count.value_or(0) <= main && planned.value_or(0) <= main && outcome.value_or(0) <= main;
    }
};

// A script with the values of one request for its slots. Both must outlive the call that it is handed to.
struct BoundScript {
    BoundScript(const Script& s, std::span<const std::string> v = {}) : script(&s), values(v) {}
    const Script* script;
    std::span<const std::string> values;
};

// What a transaction begins and ends with: role, claims, headers (PostgREST, "Transaction-scoped settings").
struct Session {
    std::vector<Statement> first{};                                  // what only the login role may do; then role must be named
    std::vector<std::pair<std::string, std::string>> before_role{};  // what only the login role may set
    std::string role{};                                              // empty: the lane's own
    std::vector<std::pair<std::string, std::string>> settings{};
    std::optional<catalog::RoutineName> pre_request{};  // called next; without a schema it is looked for in the search_path
    std::string isolation{};                            // "serializable", …; empty: as the database has it
    bool reads_only = false;                            // what the request runs may change nothing
    bool reports_early = false;                         // it has said all when the function before the request has run
    bool reports = false;                               // what runs may say how to answer: Script::outcome
    bool rolls_back = false;
    [[nodiscard]] bool empty() const {
        return role.empty() && settings.empty() && before_role.empty() && isolation.empty() && !rolls_back;
    }
};

// What a standby says of itself, one row. A server that is none has no xmin. The timeline is the newest that it knows of.
enum StandbyCell : std::uint8_t { standby_xmin, standby_system_identifier, standby_timeline };

struct RenderOptions {
    bool want_snapshot = false;  // the answer may be cached, so the snapshot it was read in must come with it
    bool on_standby = false;     // its snapshot always comes with the answer
    Form form{};
    std::int64_t count_max = 0;  // Script::count_max
};
[[nodiscard]] Script render(const plan::Plan& plan, const Session& session, const RenderOptions& options = {});

// One statement of another origin, in a transaction of the same kind.
[[nodiscard]] Script render(Statement statement, const Session& session);

// Locks the rows that a read is of until the transaction ends: whoever wants to change them waits, and whoever was changing
// them has been waited for. It gives back nothing. Needs the privilege to update them.
[[nodiscard]] Statement lock_rows(const plan::Read& read);

// Statements that run before main; the place of the first.
std::size_t put_before_main(Script& script, std::vector<Statement> statements);

// What Postgres answered to one statement. Cells view into memory that `owner` keeps; a null cell has no data().
struct Rows {
    std::vector<std::string_view> cells;  // row after row
    std::size_t columns = 0;
    std::uint64_t affected = 0;  // of INSERT, UPDATE, DELETE
    std::shared_ptr<const void> owner;

    [[nodiscard]] std::size_t count() const { return columns == 0 ? 0 : cells.size() / columns; }
    [[nodiscard]] std::string_view at(std::size_t row, std::size_t column) const { return cells[row * columns + column]; }
    [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const { return at(row, column).data() == nullptr; }
};
using Results = std::vector<Rows>;  // one per statement

// Looks at the results before they are committed; an error rolls back. (A singular answer to a write that hit two rows, …)
using Verdict = std::function<Result<void>(const Results&)>;

// The same, and what else is to be done in the transaction before it ends.
using Closing = std::function<Result<std::vector<Statement>>(const Results&)>;

}  // namespace millrace::sql
