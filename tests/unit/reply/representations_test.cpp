// Bodies besides plain JSON: without nulls, CSV, what Postgres made, plans.
#include <gtest/gtest.h>

#include "millrace/core/reply.hpp"
#include "rows.hpp"

namespace millrace::reply {
namespace {

using sql::CellKind;

std::string stripped(CellKind kind, std::string_view cell) {
    std::string out;
    append_stripped_rows(out, script_of({{"k", kind}}), rows_of(1, {cell}), RowsForm::objects);
    return out;
}

std::string csv(const std::vector<std::string_view>& cells) {
    sql::Script script;
    for (std::size_t i = 0; i < cells.size(); ++i) script.cells.push_back({std::string(1, static_cast<char>('a' + i)), {}});
    std::string out;
    append_csv_rows(out, script, rows_of(cells.size(), cells));
    return out;
}

constexpr std::string_view null{};

}  // namespace

TEST(StrippedRows, have_no_null_in_any_object_and_every_null_in_arrays) {
    const std::pair<std::string_view, std::string_view> cells[] = {
        {"1", R"({"k":1})"},
        {"null", "{}"},
        {R"("null")", R"({"k":"null"})"},
        {R"([null, {"a": null, "b" : [ null ]}])", R"({"k":[null,{"b":[null]}]})"},
        {R"({"a": null, "b": 1, "c": null})", R"({"k":{"b":1}})"},
        {R"({"a": {"x": null}, "": null, "null": true})", R"({"k":{"a":{},"null":true}})"},
        {R"({"a\"null": "x\\", "b": null})", R"({"k":{"a\"null":"x\\"}})"},
        {R"({"a": "}", "b": null, "c": -1.5e3})", R"({"k":{"a":"}","c":-1.5e3}})"},
    };
    for (const auto& [cell, json] : cells) EXPECT_EQ(stripped(CellKind::json, cell), json) << cell;
    EXPECT_EQ(stripped(CellKind::text, "null"), R"({"k":"null"})");
    EXPECT_EQ(stripped(CellKind::text, null), "{}");
}

TEST(StrippedRows, keep_their_commas) {
    std::string out;
    const auto script = script_of({{"a", CellKind::json}, {"b", CellKind::text}, {"c", CellKind::boolean}});
    append_stripped_rows(out, script, rows_of(3, {null, "x", "t", "1", null, null, null, null, "f"}), RowsForm::array);
    EXPECT_EQ(out, R"([{"b":"x","c":true},{"a":1},{"c":false}])");
}

TEST(CsvRows, are_quoted_where_postgres_quotes_the_fields_of_a_record) {
    const std::pair<std::string_view, const char*> cells[] = {
        {"plain", "plain"},     {null, ""},         {"", "\"\""},
        {"a b", "\"a b\""},     {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""},
        {"a\\b", "\"a\\\\b\""}, {"(x)", "\"(x)\""}, {"{1,2}", "\"{1,2}\""},
        {"l\nm", "\"l\nm\""},   {"é", "é"},         {"t", "t"},
        {"a;b'c", "a;b'c"},
    };
    for (const auto& [cell, line] : cells) EXPECT_EQ(csv({cell, "z"}), std::string("a,b\n") + line + ",z");
}

TEST(CsvRows, have_a_header_and_no_end_behind_the_last) {
    std::string out;
    append_csv_rows(out, script_of({{"id", {}}, {"full name", {}}, {"a,\"b", {}}}),
                    rows_of(3, {"1", "x", null, "2", null, "y"}));
    EXPECT_EQ(out, "id,full name,\"a,\"\"b\"\n1,x,\n2,,y");
    out.clear();
    append_csv_rows(out, script_of({{"id", {}}}), rows_of(1, {}));
    EXPECT_EQ(out, "id\n");
}

TEST(BodyReply, takes_the_body_and_the_number_of_rows_from_the_one_row) {
    sql::Script script;
    script.answer = sql::Answer::body;
    script.count = 1;
    Shape shape;
    shape.representation.content_type = "image/png";
    const auto reply = from_rows(shape, script, {rows_of(3, {"2", "the body", "10:10:"}), rows_of(1, {"5"})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 206);
    EXPECT_EQ(reply->headers.get("Content-Range"), "0-1/5");
    EXPECT_EQ(reply->headers.get("Content-Type"), "image/png");
    EXPECT_EQ(reply->body.view(), "the body");
}

TEST(BodyReply, bytes_come_as_hex_and_null_is_empty) {
    sql::Script script;
    script.answer = sql::Answer::body;
    script.binary = true;
    EXPECT_EQ(from_rows({}, script, {rows_of(2, {"1", "00ff7a"})})->body.view(), std::string_view("\0\xffz", 3));
    EXPECT_EQ(from_rows({}, script, {rows_of(2, {"1", null})})->body.view(), "");
}

TEST(BodyReply, of_a_write_counts_what_it_returned) {
    sql::Script script;
    script.answer = sql::Answer::body;
    script.writes = true;
    Shape shape;
    shape.action = request::Action::update;
    shape.returning = request::ReturnKind::representation;
    shape.max_affected = 2;
    const sql::Results results{rows_of(2, {"3", "body"})};
    const auto check = verdict(shape, script);
    ASSERT_TRUE(check);
    EXPECT_EQ((*check)(results).error().code, "PGRST124");
    const auto reply = from_rows(shape, script, results);
    EXPECT_EQ(reply->headers.get("Content-Range"), "0-2/*");
    EXPECT_EQ(reply->body.view(), "body");
}

TEST(PlanReply, is_its_lines_whatever_the_request_would_have_given) {
    sql::Script script;
    script.answer = sql::Answer::plan;
    script.writes = true;
    Shape shape;
    shape.action = request::Action::insert;
    shape.representation.content_type = "application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8";
    shape.max_affected = 0;
    EXPECT_FALSE(verdict(shape, script));
    const auto reply = from_rows(shape, script, {rows_of(1, {"Insert on a", "  ->  Result"})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body.view(), "Insert on a\n  ->  Result\n");
    EXPECT_EQ(reply->headers.get("Content-Range"), "");
}

}  // namespace millrace::reply
