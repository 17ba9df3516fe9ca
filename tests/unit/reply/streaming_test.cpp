// A body written batch by batch is the body written at once, and its head says what is known before the last row.
#include <gtest/gtest.h>

#include "millrace/core/reply.hpp"

namespace millrace::reply {
namespace {

sql::Rows rows_of(std::vector<std::string_view> cells, std::size_t columns = 1) {
    sql::Rows rows;
    rows.cells = std::move(cells);
    rows.columns = columns;
    return rows;
}

sql::Script script_of(bool counted) {
    sql::Script script;
    script.cells = {{"id", sql::CellKind::json}, {"name", sql::CellKind::text}};
    if (counted) script.count = 0;
    script.main = counted ? 1 : 0;
    return script;
}

std::string range_of(std::optional<std::string_view> total, request::Window window, int* status = nullptr) {
    Shape shape;
    shape.window = window;
    sql::Results results;
    if (total) results.push_back(rows_of({*total}));
    results.push_back(rows_of({"1", "a"}, 2));
    const message::Reply reply = from_first_rows(shape, script_of(total.has_value()), results);
    if (status != nullptr) *status = reply.status;
    return std::string(reply.headers.get("Content-Range"));
}

TEST(RowWriter, writes_in_batches_what_is_written_at_once) {
    const sql::Script script = script_of(false);
    const auto writer = row_writer(Shape{}, script);
    ASSERT_NE(writer, nullptr);
    std::string body, whole;
    writer->append(body, rows_of({"1", "a", "2", "\"b\""}, 2));
    writer->append(body, rows_of({}, 2));
    writer->append(body, rows_of({"3", std::string_view()}, 2));
    writer->finish(body);
    append_json_rows(whole, script, rows_of({"1", "a", "2", "\"b\"", "3", std::string_view()}, 2), RowsForm::array);
    EXPECT_EQ(body, whole);
    EXPECT_EQ(body, R"([{"id":1,"name":"a"},{"id":2,"name":"\"b\""},{"id":3,"name":null}])");
}

TEST(RowWriter, writes_an_empty_array_for_no_rows) {
    const sql::Script script = script_of(false);
    std::string body;
    row_writer(Shape{}, script)->finish(body);
    EXPECT_EQ(body, "[]");
}

TEST(RowWriter, writes_csv_and_rows_without_nulls_in_batches_too) {
    const sql::Script script = script_of(false);
    Shape csv, stripped;
    csv.representation.form.output = sql::Output::text;
    stripped.representation.nulls_stripped = true;
    std::string lines, objects, nothing;
    for (const auto& [shape, body] : {std::pair(&csv, &lines), std::pair(&stripped, &objects)}) {
        const auto writer = row_writer(*shape, script);
        writer->append(*body, rows_of({"1", "a b"}, 2));
        writer->append(*body, rows_of({}, 2));
        writer->append(*body, rows_of({"2", std::string_view()}, 2));
        writer->finish(*body);
    }
    EXPECT_EQ(lines, "id,name\n1,\"a b\"\n2,");
    EXPECT_EQ(objects, R"([{"id":1,"name":"a b"},{"id":2}])");
    row_writer(csv, script)->finish(nothing);
    EXPECT_EQ(nothing, "id,name\n");
}

TEST(RowWriter, is_not_there_for_what_needs_all_rows) {
    Shape singular, write, made_by_postgres;
    singular.representation.one = true;
    write.action = request::Action::insert;
    made_by_postgres.representation.form.output = sql::Output::body;
    for (const Shape& shape : {singular, write, made_by_postgres}) EXPECT_EQ(row_writer(shape, script_of(false)), nullptr);
}

TEST(FirstRows, the_range_is_said_when_the_total_is_known) {
    int status = 0;
    EXPECT_EQ(range_of("5000", {}, &status), "0-4999/5000");
    EXPECT_EQ(status, 200);
    EXPECT_EQ(range_of("5000", {.limit = 100, .offset = 10}, &status), "10-109/5000");
    EXPECT_EQ(status, 206);
    EXPECT_EQ(range_of("5000", {.limit = 100, .offset = 4990}, &status), "4990-4999/5000");
    EXPECT_EQ(status, 206);
    EXPECT_EQ(range_of(std::nullopt, {}, &status), "");
    EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace millrace::reply
