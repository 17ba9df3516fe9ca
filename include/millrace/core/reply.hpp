// Rows or an error → status, headers and body as PostgREST gives them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/representation.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::reply {

// Body {code, message, details, hint}, or of the first two alone, with the error's status and headers, and its code in
// Proxy-Status (RFC 9209) for who sees no body.
enum class Verbosity : std::uint8_t { verbose, minimal };
[[nodiscard]] message::Reply from_error(const Error& error, Verbosity verbosity = Verbosity::verbose);

// The value of Server-Timing, with the names that PostgREST gives them.
struct Timings {
    Duration jwt{}, parse{}, plan{}, transaction{}, response{};
};
[[nodiscard]] std::string server_timing(const Timings& timings);

// What the rows of a call are in JSON: rows, one row, values, one value, or nothing at all.
enum class CallForm : std::uint8_t { rows, row, values, value, nothing };

// Everything that finish needs of a request once its rows are there.
struct Shape {
    request::Action action = request::Action::read;
    bool head_only = false;
    representation::Representation representation;
    request::Window window;
    request::CountKind count = request::CountKind::none;
    request::ReturnKind returning = request::ReturnKind::unset;
    std::string location_base;               // "/v1/products": what Location is built on
    std::vector<std::string> location_keys;  // API names of the primary key
    std::vector<std::string> applied;        // Preference-Applied
    std::optional<std::int64_t> max_affected;
    std::string warning{};           // of Warning
    CallForm call = CallForm::rows;  // of action call
};

// The columns `main` returns, snapshot column excluded, become the body; 200, 201, 204, 206, 406 or 416 as the rows decide.
[[nodiscard]] Result<message::Reply> from_rows(const Shape& shape, const sql::Script& script, const sql::Results& results);

// Must the rows be looked at before they are committed? Then this is how.
[[nodiscard]] std::optional<sql::Verdict> verdict(const Shape& shape, const sql::Script& script);

// Rows → JSON text: an array, or the objects alone with commas between (one row of a singular reply).
enum class RowsForm : std::uint8_t { array, objects };
void append_json_rows(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form);
// The first column alone: [1,2] or, as objects, 1,2.
void append_json_values(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form);
// The same without what is null in objects.
void append_stripped_rows(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form);

// Rows → CSV: a header line, then a line a row without an end of line behind the last. Cells come as Postgres prints them.
void append_csv_rows(std::string& out, const sql::Script& script, const sql::Rows& rows);

// Writes a body while its rows come.
class RowWriter {
public:
    virtual ~RowWriter() = default;
    virtual void append(std::string& out, const sql::Rows& rows) = 0;  // the next rows, and what stands before them
    virtual void finish(std::string& out) = 0;                         // what stands behind the last; also when there was none
};
// Nothing for a representation that needs all rows at once. The script must outlive the writer.
[[nodiscard]] std::unique_ptr<RowWriter> row_writer(const Shape& shape, const sql::Script& script);

// Status and fields of a read whose rows have begun to come; how many they are, the total says or nobody knows.
[[nodiscard]] message::Reply from_first_rows(const Shape& shape, const sql::Script& script, const sql::Results& results);

// A strong entity tag of a body in one representation: its hash and its length, and the total of rows that goes with it, if
// any, quoted.
[[nodiscard]] std::string entity_tag(std::string_view body, std::string_view media_type, std::string_view total = {});

// How many rows main gave back.
[[nodiscard]] std::size_t row_count(sql::Answer answer, const sql::Rows& rows);

// What a write did to how many rows.
struct Changed {
    std::int64_t rows = 0;
    bool added = false;  // of PUT and upserts: at least one of them was not there before
};
[[nodiscard]] Changed changed(const sql::Script& script, const sql::Results& results);

// Of "0-9/100" ten; of "*/0", and of what is no Content-Range of rows, none.
[[nodiscard]] std::uint64_t rows_in(std::string_view content_range);

}  // namespace millrace::reply
