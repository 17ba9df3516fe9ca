// What a function returned and the answer that it becomes.
#include <gtest/gtest.h>

#include <millrace/core/reply.hpp>

namespace millrace::reply {
namespace {

struct Returned {
    sql::Script script;
    sql::Results results;
};

Returned returned(std::vector<sql::OutputCell> cells, std::vector<std::string_view> rows, std::size_t columns) {
    Returned out;
    out.script.cells = std::move(cells);
    sql::Rows main;
    main.columns = columns;
    main.cells = std::move(rows);
    out.results.push_back(std::move(main));
    return out;
}

Shape call_of(CallForm form) {
    Shape shape;
    shape.action = request::Action::call;
    shape.call = form;
    return shape;
}

const std::vector<sql::OutputCell> value{{"pgrst_scalar", sql::CellKind::json}};
const std::vector<sql::OutputCell> point{{"x", sql::CellKind::json}, {"name", sql::CellKind::text}};

TEST(CallReply, has_the_form_that_the_function_returns) {
    struct Row {
        CallForm form;
        Returned from;
        std::string body, range;
    };
    const std::vector<Row> table = {
        {CallForm::value, returned(value, {"3"}, 1), "3", "0-0/*"},
        {CallForm::value, returned(value, {std::string_view()}, 1), "null", "0-0/*"},
        {CallForm::values, returned(value, {"1", "2"}, 1), "[1,2]", "0-1/*"},
        {CallForm::values, returned(value, {}, 1), "[]", "*/*"},
        {CallForm::row, returned(point, {"1", "a"}, 2), R"({"x":1,"name":"a"})", "0-0/*"},
        {CallForm::row, returned(point, {}, 2), "null", "0-0/*"},
        {CallForm::rows, returned(point, {"1", "a"}, 2), R"([{"x":1,"name":"a"}])", "0-0/*"},
    };
    for (const Row& row : table) {
        const auto reply = from_rows(call_of(row.form), row.from.script, row.from.results);
        ASSERT_TRUE(reply) << row.body;
        EXPECT_EQ(reply->status, 200);
        EXPECT_EQ(reply->body.view(), row.body);
        EXPECT_EQ(reply->headers.get("Content-Range"), row.range);
    }
}

TEST(CallReply, of_void_has_no_body) {
    const auto from = returned(value, {""}, 1);
    const auto reply = from_rows(call_of(CallForm::nothing), from.script, from.results);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 204);
    EXPECT_EQ(reply->body.view(), "");
    EXPECT_EQ(reply->headers.get("Content-Type"), "");
}

TEST(CallReply, finds_the_total_with_and_without_rows) {
    Shape shape = call_of(CallForm::values);
    shape.count = request::CountKind::exact;
    shape.window.limit = 1;
    auto some = returned(value, {"7", "t", "5"}, 3);
    some.script.has_total = true;
    const auto page = from_rows(shape, some.script, some.results);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->status, 206);
    EXPECT_EQ(page->headers.get("Content-Range"), "0-0/5");
    EXPECT_EQ(page->body.view(), "[7]");

    shape.window.offset = 9;
    auto none = returned(value, {std::string_view(), std::string_view(), "5"}, 3);
    none.script.has_total = true;
    const auto beyond = from_rows(shape, none.script, none.results);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().status, 416);
    EXPECT_EQ(beyond.error().details, "An offset of 9 was requested, but there are only 5 rows.");
}

TEST(CallReply, of_one_object_wants_one_row_before_the_commit) {
    Shape shape = call_of(CallForm::rows);
    shape.representation.one = true;
    auto two = returned(point, {"1", "a", "2", "b"}, 2);
    two.script.writes = true;
    const auto judge = verdict(shape, two.script);
    ASSERT_TRUE(judge);
    const auto judged = (*judge)(two.results);
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().details, "The result contains 2 rows");
    shape.call = CallForm::value;
    EXPECT_TRUE(from_rows(shape, two.script, two.results)) << "a function that returns no set returned one";
}

TEST(CallReply, keeps_to_the_most_that_may_be_affected) {
    Shape shape = call_of(CallForm::rows);
    shape.max_affected = 1;
    const auto two = returned(point, {"1", "a", "2", "b"}, 2);
    const auto reply = from_rows(shape, two.script, two.results);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, "PGRST124");
}

}  // namespace
}  // namespace millrace::reply
