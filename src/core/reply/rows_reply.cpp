// Rows → status, headers and body: what was asked for and what came back decide between 200, 201, 204, 206, 406 and 416.
#include <array>
#include <charconv>

#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "planned_rows.hpp"

namespace millrace::reply {
namespace {

using Total = std::optional<std::int64_t>;

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

// "0-24/3573458", "*/0", "0-24/*": PostgREST, "Pagination and Count".
std::string content_range(std::int64_t first, std::int64_t last, Total total) {
    std::string out = first <= last && total != 0 ? std::to_string(first) + "-" + std::to_string(last) : "*";
    out += '/';
    return out += total ? std::to_string(*total) : "*";
}

int read_status(std::int64_t first, std::int64_t last, Total total) { return total && 1 + last - first < *total ? 206 : 200; }

Error beyond_the_end(std::int64_t offset, std::int64_t total) {
    return Error::of(Fault::bad_range, "Requested range not satisfiable")
        .with_details("An offset of " + std::to_string(offset) + " was requested, but there are only " + std::to_string(total) +
                      " rows.");
}

Error not_singular(std::size_t rows) {
    return Error::of(Fault::not_singular).with_details("The result contains " + std::to_string(rows) + " rows");
}

bool wants_one(const Shape& shape) {
    return shape.media == request::Media::singular || shape.media == request::Media::singular_stripped;
}

message::Body body_of(const Shape& shape, const sql::Script& script, const sql::Rows& rows) {
    std::string body;
    append_json_rows(body, script, rows, wants_one(shape) ? RowsForm::objects : RowsForm::array);
    return body;
}

void add_applied(const Shape& shape, message::HeaderBlock& headers) {
    std::string value;
    for (const std::string& preference : shape.applied) value += (value.empty() ? "" : ", ") + preference;
    if (!value.empty()) headers.add("Preference-Applied", value);
    if (!shape.warning.empty()) headers.add("Warning", shape.warning);
}

Result<message::Reply> from_read(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    const sql::Rows& rows = results[script.main];
    const auto count = static_cast<std::int64_t>(rows.count());
    const Total total = total_of(script, results);
    if (wants_one(shape) && count != 1) return not_singular(rows.count());
    if (total && shape.window.offset > 0 && shape.window.offset > *total) return beyond_the_end(shape.window.offset, *total);
    const std::int64_t last = shape.window.offset + count - 1;
    message::Reply reply;
    reply.status = read_status(shape.window.offset, last, total);
    reply.headers.add("Content-Type", content_type(shape.media));
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
std::int64_t changed(bool returns_rows, const sql::Rows& rows) {
    return static_cast<std::int64_t>(returns_rows ? rows.count() : rows.affected);
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
    add_write_range(shape, changed(!script.cells.empty(), rows), reply.headers);
    add_applied(shape, reply.headers);
    if (shape.returning == request::ReturnKind::headers_only && shape.action == request::Action::insert && rows.count() == 1 &&
        !shape.location_keys.empty())
        reply.headers.add("Location", location_of(shape, script, rows));
    if (shape.returning != request::ReturnKind::representation) return reply;
    reply.headers.add("Content-Type", content_type(shape.media));
    reply.body = body_of(shape, script, rows);
    return reply;
}

Error wrong_row() { return Error::of(Fault::put_needs_all_keys); }

}  // namespace

Result<message::Reply> from_rows(const Shape& shape, const sql::Script& script, const sql::Results& results) {
    if (script.writes) return from_write(shape, script, results);
    auto reply = from_read(shape, script, results);
    if (reply) add_applied(shape, reply->headers);
    return reply;
}

std::optional<sql::Verdict> verdict(const Shape& shape, const sql::Script& script) {
    const bool put = script.expects_one;
    const bool singular = wants_one(shape) && !put;
    if (!script.writes || (!put && !singular && !shape.max_affected)) return std::nullopt;
    const bool returns_rows = !script.cells.empty();
    return [put, singular, limit = shape.max_affected, main = script.main,
            returns_rows](const sql::Results& results) -> Result<void> {
        const std::int64_t count = changed(returns_rows, results[main]);
        if (put && count != 1) return wrong_row();
        if (singular && count != 1) return not_singular(static_cast<std::size_t>(count));
        if (limit && count > *limit)
            return Error::of(Fault::max_affected_violated).with_details("The query affects " + std::to_string(count) + " rows");
        return {};
    };
}

std::string entity_tag(std::string_view body, request::Media media) {
    std::array<char, 16> digits{};
    const auto print = [&digits](std::uint64_t number) {
        return std::string_view(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr);
    };
    std::string out = "\"";
    out += print(text::hash64(body, static_cast<std::uint64_t>(media) + 1));
    out += '-';
    out += print(body.size());
    return out += '"';
}

}  // namespace millrace::reply
