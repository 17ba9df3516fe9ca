// What a function returned → status, headers and body: rows as of a read, one row or one value bare, or nothing at all.
#include "call_reply.hpp"

#include "answer.hpp"
#include "finished_body.hpp"
#include "millrace/core/text.hpp"

namespace millrace::reply {
namespace {

// A function that returns no set has returned one row or value, also when a filter left nothing of it.
bool returns_one(CallForm form) { return form == CallForm::row || form == CallForm::value || form == CallForm::nothing; }

// With a total main has a row even when there is none to show: its mark is null then.
sql::Rows shown(const sql::Script& script, const sql::Rows& rows) {
    if (!script.has_total || script.answer != sql::Answer::rows || rows.count() == 0) return rows;
    return rows.is_null(0, rows.columns - 2) ? sql::Rows{} : rows;
}

std::int64_t count_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    return returns_one(shape.call) ? 1 : static_cast<std::int64_t>(row_count(script.answer, rows));
}

Total total_of(const Shape& shape, const sql::Script& script, const sql::Rows& main, std::int64_t count) {
    if (shape.count == request::CountKind::none) return std::nullopt;
    if (!script.has_total) return count;
    return main.count() == 0 ? std::nullopt : text::to_int(main.at(0, main.columns - 1));
}

sql::Rows first_row(const sql::Rows& rows) {
    sql::Rows one = rows;
    if (one.count() > 1) one.cells.resize(one.columns);
    return one;
}

void append_rows(std::string& out, const Shape& shape, const sql::Script& script, const sql::Rows& rows, RowsForm form) {
    if (shape.representation.nulls_stripped) {
        append_stripped_rows(out, script, rows, form);
    } else {
        append_json_rows(out, script, rows, form);
    }
}

message::Body json_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    std::string body;
    const bool one = returns_one(shape.call) || shape.representation.one;
    if (one && rows.count() == 0) return std::string("null");
    switch (shape.call) {
        case CallForm::value:
        case CallForm::nothing:
            append_json_values(body, script, first_row(rows), RowsForm::objects);
            break;
        case CallForm::values:
            // As an object a value goes by the name of its column, as in PostgREST.
            if (one) {
                append_rows(body, shape, script, rows, RowsForm::objects);
            } else {
                append_json_values(body, script, rows, RowsForm::array);
            }
            break;
        case CallForm::row:
            append_rows(body, shape, script, first_row(rows), RowsForm::objects);
            break;
        case CallForm::rows:
            append_rows(body, shape, script, rows, one ? RowsForm::objects : RowsForm::array);
            break;
    }
    return body;
}

message::Body body_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    if (script.answer == sql::Answer::body) return finished_body(script, rows);
    if (shape.representation.form.output != sql::Output::text) return json_of(shape, script, rows);
    std::string body;
    append_csv_rows(body, script, rows);
    return body;
}

}  // namespace

Result<void> check_call(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    const std::int64_t count = count_of(shape, script, shown(script, results[script.main]));
    if (shape.representation.one && count != 1) return not_singular(static_cast<std::size_t>(count));
    if (shape.max_affected && count > *shape.max_affected) return too_many_affected(count);
    return {};
}

Result<message::Reply> from_call(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    if (auto checked = check_call(shape, script, results); !checked) return std::move(checked).error();
    const sql::Rows& main = results[script.main];
    const sql::Rows rows = shown(script, main);
    const std::int64_t count = count_of(shape, script, rows);
    const Total total = total_of(shape, script, main, count);
    if (auto checked = check_window(shape.window, total); !checked) return std::move(checked).error();
    const std::int64_t last = shape.window.offset + count - 1;
    message::Reply reply;
    reply.headers.add("Content-Range", content_range(shape.window.offset, last, total));
    add_applied(shape, reply.headers);
    reply.status = shape.call == CallForm::nothing ? 204 : read_status(shape.window.offset, last, total);
    if (shape.call == CallForm::nothing) return reply;
    reply.headers.add("Content-Type", shape.representation.content_type);
    reply.body = body_of(shape, script, rows);
    return reply;
}

}  // namespace millrace::reply
