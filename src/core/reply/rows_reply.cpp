// Rows → status, headers and body: what was asked for and what came back decide between 200, 201, 204, 206, 406 and 416.
#include <algorithm>
#include <array>
#include <charconv>

#include "answer.hpp"
#include "call_reply.hpp"
#include "finished_body.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "planned_rows.hpp"

namespace millrace::reply {
namespace {

Total cell_of(const sql::Results& results, std::size_t statement) {
    const sql::Rows& rows = results[statement];
    return rows.count() == 0 ? std::nullopt : text::to_int(rows.at(0, 0));
}

// An estimated total is exact as far as it was counted.
Total total_of(const sql::Script& script, const sql::Results& results) {
    const Total counted = script.count ? cell_of(results, *script.count) : std::nullopt;
    if (!script.planned || (counted && *counted <= script.count_max)) return counted;
    return std::max(counted, planned_rows(results[*script.planned]));
}

message::Body body_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    if (script.answer == sql::Answer::body) return finished_body(script, rows);
    const representation::Representation& wanted = shape.representation;
    const RowsForm form = wanted.one ? RowsForm::objects : RowsForm::array;
    std::string body;
    if (wanted.form.output == sql::Output::text) {
        append_csv_rows(body, script, rows);
    } else if (wanted.nulls_stripped) {
        append_stripped_rows(body, script, rows, form);
    } else {
        append_json_rows(body, script, rows, form);
    }
    return body;
}

Result<message::Reply> from_read(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    const sql::Rows& rows = results[script.main];
    const auto count = static_cast<std::int64_t>(row_count(script.answer, rows));
    const Total total = total_of(script, results);
    if (shape.representation.one && count != 1) return not_singular(row_count(script.answer, rows));
    if (auto checked = check_window(shape.window, total); !checked) return std::move(checked).error();
    const std::int64_t last = shape.window.offset + count - 1;
    message::Reply reply;
    reply.status = read_status(shape.window.offset, last, total);
    reply.headers.add("Content-Type", shape.representation.content_type);
    reply.headers.add("Content-Range", content_range(shape.window.offset, last, total));
    reply.body = body_of(shape, script, rows);
    return reply;
}

// "/v1/products?id=eq.7": where the one row that was made can be read.
std::string location_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    std::string out = shape.location_base;
    char separator = '?';
    for (const std::string& key : shape.location_keys)
        for (std::size_t column = 0; column < script.cells.size(); ++column) {
            if (script.cells[column].key != key) continue;
            out += separator + text::percent_encode(key);
            out += rows.is_null(0, column) ? "=is.null" : "=eq." + text::percent_encode(rows.at(0, column));
            separator = '&';
        }
    return out;
}

// How many rows a write changed: those it returns, or when it returns none what Postgres counted.
std::int64_t changed(sql::Answer answer, bool returns_cells, const sql::Rows& rows) {
    const bool returns = answer == sql::Answer::body || returns_cells;
    return static_cast<std::int64_t>(returns ? row_count(answer, rows) : rows.affected);
}

// Did an upsert add a row? Other inserts always do.
bool added(const sql::Script& script, const sql::Results& results) {
    if (!script.counts_inserted || !script.outcome) return true;
    const sql::Rows& rows = results[*script.outcome];
    return rows.count() != 0 && text::to_int(rows.at(0, rows.columns - 1)).value_or(0) > 0;
}

int write_status(const Shape& shape, bool added) {
    const bool full = shape.returning == request::ReturnKind::representation;
    if (shape.action == request::Action::insert) return added ? 201 : 200;
    if (!full) return 204;
    return shape.action == request::Action::replace && added ? 201 : 200;
}

// A PUT has none: it is about one row that its URL names.
void add_write_range(const Shape& shape, std::int64_t count, message::HeaderBlock& headers) {
    if (shape.action == request::Action::replace) return;
    const bool counted = shape.count == request::CountKind::exact || shape.count == request::CountKind::estimated;
    const std::int64_t last = shape.action == request::Action::update ? count - 1 : -1;
    headers.add("Content-Range", content_range(0, last, counted ? Total(count) : std::nullopt));
}

Result<message::Reply> from_write(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    const sql::Rows& rows = results[script.main];
    message::Reply reply;
    reply.status = write_status(shape, added(script, results));
    add_write_range(shape, changed(script.answer, !script.cells.empty(), rows), reply.headers);
    add_applied(shape, reply.headers);
    if (shape.returning == request::ReturnKind::headers_only && shape.action == request::Action::insert && rows.count() == 1 &&
        !shape.location_keys.empty())
        reply.headers.add("Location", location_of(shape, script, rows));
    if (shape.returning != request::ReturnKind::representation) return reply;
    reply.headers.add("Content-Type", shape.representation.content_type);
    reply.body = body_of(shape, script, rows);
    return reply;
}

std::optional<sql::Verdict> call_verdict(const Shape& shape, const sql::Script& script) {
    if (!shape.representation.one && !shape.max_affected) return std::nullopt;
    return [&shape, &script](const sql::Results& results) { return check_call(shape, script, results); };
}

Error wrong_row() { return Error::of(Fault::put_needs_all_keys); }

// The lines of EXPLAIN, whatever the statement would have answered.
message::Reply from_plan(const Shape& shape, const sql::Rows& rows) {
    std::string body;
    for (std::size_t row = 0; row < rows.count(); ++row) body.append(rows.at(row, 0)) += '\n';
    message::Reply reply;
    reply.headers.add("Content-Type", shape.representation.content_type);
    reply.body = std::move(body);
    return reply;
}

}  // namespace

Result<message::Reply> from_rows(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    if (script.answer == sql::Answer::plan) return from_plan(shape, results[script.main]);
    if (shape.action == request::Action::call) return from_call(shape, script, results);
    if (script.writes) return from_write(shape, script, results);
    auto reply = from_read(shape, script, results);
    if (reply) add_applied(shape, reply->headers);
    return reply;
}

message::Reply from_first_rows(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    message::Reply reply;
    reply.headers.add("Content-Type", shape.representation.content_type);
    if (const Total total = total_of(script, results)) {
        // The rows that come are told from an exact total; of an estimated one only itself is told.
        std::int64_t rows = *total - shape.window.offset;
        if (shape.window.limit) rows = std::min(rows, *shape.window.limit);
        const std::int64_t last = shape.window.offset + rows - 1;
        const bool exact = !script.planned || (script.count && cell_of(results, *script.count) == total);
        reply.status = read_status(shape.window.offset, last, total);
        reply.headers.add("Content-Range", content_range(shape.window.offset, exact ? last : -1, total));
    }
    add_applied(shape, reply.headers);
    return reply;
}

std::optional<sql::Verdict> verdict(const Shape& shape, const sql::Script& script) {
    const bool put = script.expects_one;
    const bool singular = shape.representation.one && !put;
    if (!script.writes || script.answer == sql::Answer::plan) return std::nullopt;
    if (shape.action == request::Action::call) return call_verdict(shape, script);
    if (!put && !singular && !shape.max_affected) return std::nullopt;
    return [put, singular, limit = shape.max_affected, main = script.main, answer = script.answer,
            returns_cells = !script.cells.empty()](const sql::Results& results) -> Result<void> {
        const std::int64_t count = changed(answer, returns_cells, results[main]);
        if (put && count != 1) return wrong_row();
        if (singular && count != 1) return not_singular(static_cast<std::size_t>(count));
        if (limit && count > *limit) return too_many_affected(count);
        return {};
    };
}

Changed changed(const sql::Script& script, const sql::Results& results) {
    return {changed(script.answer, !script.cells.empty(), results[script.main]), added(script, results)};
}

std::string entity_tag(std::string_view body, std::string_view media_type, std::string_view total) {
    std::array<char, 16> digits{};
    const auto print = [&digits](std::uint64_t number) {
        return std::string_view(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr);
    };
    std::string out = "\"";
    out += print(text::hash64(body, text::hash64(media_type)));
    out += '-';
    out += print(body.size());
    if (!total.empty()) out.append(".").append(total);
    return out += '"';
}

}  // namespace millrace::reply
