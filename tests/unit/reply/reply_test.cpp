// Rows and errors as PostgREST's clients see them.
#include <gtest/gtest.h>

#include "millrace/core/reply.hpp"
#include "rows.hpp"

namespace millrace::reply {
namespace {

using sql::CellKind;

std::string json_of(CellKind kind, std::string_view cell) {
    std::string out;
    append_json_rows(out, script_of({{"k", kind}}), rows_of(1, {cell}), RowsForm::objects);
    return out.substr(5, out.size() - 6);  // {"k":…}
}

sql::Rows three_ids() { return rows_of(1, {"1", "2", "3"}); }

}  // namespace

TEST(Rows, each_kind_of_cell_becomes_json) {
    struct Case {
        CellKind kind;
        std::string_view cell, json;
    };
    for (const Case& c : {
             Case{CellKind::json, "42", "42"},
             Case{CellKind::json, R"({"a":[1]})", R"({"a":[1]})"},
             Case{CellKind::number, "1.50", "1.50"},
             Case{CellKind::number, "NaN", "\"NaN\""},
             Case{CellKind::number, "-Infinity", "\"-Infinity\""},
             Case{CellKind::boolean, "t", "true"},
             Case{CellKind::boolean, "f", "false"},
             Case{CellKind::text, "a\"b\n", R"("a\"b\n")"},
             Case{CellKind::text, "", "\"\""},
             Case{CellKind::plain, "2026-01-02", "\"2026-01-02\""},
             Case{CellKind::timestamp, "2026-01-02 03:04:05.5", "\"2026-01-02T03:04:05.5\""},
             Case{CellKind::timestamptz, "2026-01-02 03:04:05+00", "\"2026-01-02T03:04:05+00:00\""},
             Case{CellKind::timestamptz, "2026-01-02 03:04:05-03:30", "\"2026-01-02T03:04:05-03:30\""},
             Case{CellKind::timestamptz, "0044-03-15 00:00:00+01 BC", "\"0044-03-15T00:00:00+01:00 BC\""},
             Case{CellKind::timestamptz, "infinity", "\"infinity\""},
             Case{CellKind::text, std::string_view(), "null"},
             Case{CellKind::json, std::string_view(), "null"},
         })
        EXPECT_EQ(json_of(c.kind, c.cell), c.json) << c.cell;
}

TEST(Rows, the_snapshot_column_is_no_part_of_the_answer) {
    sql::Script script = script_of({{"id", CellKind::json}, {"name", CellKind::text}});
    script.has_snapshot = true;
    std::string out;
    append_json_rows(out, script, rows_of(3, {"1", "a", "10:10:", "2", "b", "10:10:"}), RowsForm::array);
    EXPECT_EQ(out, R"([{"id":1,"name":"a"},{"id":2,"name":"b"}])");
}

TEST(ReadReply, range_and_total_decide_the_status) {
    struct Case {
        std::int64_t offset;
        const char* total;
        int status;
        const char* range;
    };
    for (const Case& c : {Case{0, nullptr, 200, "0-2/*"}, Case{0, "3", 200, "0-2/3"}, Case{0, "10", 206, "0-2/10"},
                          Case{4, "10", 206, "4-6/10"}, Case{11, "10", 416, ""}}) {
        sql::Script script = script_of({{"id", CellKind::json}});
        sql::Results results{three_ids()};
        if (c.total != nullptr) {
            script.count = 1;
            results.push_back(rows_of(1, {c.total}));
        }
        Shape shape;
        shape.window.offset = c.offset;
        const auto reply = from_rows(shape, script, results);
        EXPECT_EQ(reply ? reply->status : reply.error().status, c.status);
        EXPECT_EQ(reply ? reply->headers.get("Content-Range") : "", c.range);
    }
}

TEST(ReadReply, no_rows_have_no_range) {
    const auto reply = from_rows(Shape{}, script_of({{"id", CellKind::json}}), {rows_of(1, {})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->headers.get("Content-Range"), "*/*");
    EXPECT_EQ(reply->body.view(), "[]");
}

TEST(ReadReply, a_singular_answer_needs_one_row) {
    Shape shape;
    shape.representation.one = true;
    const sql::Script script = script_of({{"id", CellKind::json}});
    const auto one = from_rows(shape, script, {rows_of(1, {"7"})});
    ASSERT_TRUE(one);
    EXPECT_EQ(one->body.view(), R"({"id":7})");
    const auto three = from_rows(shape, script, {three_ids()});
    ASSERT_FALSE(three);
    EXPECT_EQ(three.error().code, "PGRST116");
    EXPECT_EQ(three.error().details, "The result contains 3 rows");
}

TEST(WriteReply, minimal_has_no_body_and_full_has_the_rows) {
    sql::Script script;
    script.writes = true;
    Shape shape;
    shape.action = request::Action::update;
    sql::Rows rows;
    rows.affected = 2;
    const auto minimal = from_rows(shape, script, {rows});
    ASSERT_TRUE(minimal);
    EXPECT_EQ(minimal->status, 204);
    EXPECT_EQ(minimal->headers.get("Content-Range"), "0-1/*");

    script.cells = {{"id", CellKind::json}};
    shape.returning = request::ReturnKind::representation;
    const auto full = from_rows(shape, script, {rows_of(1, {"1", "2"})});
    ASSERT_TRUE(full);
    EXPECT_EQ(full->status, 200);
    EXPECT_EQ(full->body.view(), R"([{"id":1},{"id":2}])");
}

TEST(WriteReply, location_names_the_row_by_its_key) {
    sql::Script script = script_of({{"id", CellKind::json}, {"sku", CellKind::text}});
    script.writes = true;
    Shape shape;
    shape.action = request::Action::insert;
    shape.returning = request::ReturnKind::headers_only;
    shape.location_base = "/v1/products";
    shape.location_keys = {"id", "sku"};
    const auto reply = from_rows(shape, script, {rows_of(2, {"7", "a b"})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->headers.get("Location"), "/v1/products?id=eq.7&sku=eq.a%20b");
}

TEST(WriteReply, location_tells_a_key_that_is_null) {
    sql::Script script = script_of({{"id", CellKind::json}, {"sku", CellKind::text}});
    script.writes = true;
    Shape shape;
    shape.action = request::Action::insert;
    shape.returning = request::ReturnKind::headers_only;
    shape.location_base = "/v1/products";
    shape.location_keys = {"id", "sku"};
    EXPECT_EQ(from_rows(shape, script, {rows_of(2, {"7", {}})})->headers.get("Location"), "/v1/products?id=eq.7&sku=is.null");
}

TEST(WriteReply, an_upsert_is_created_only_when_it_added_a_row) {
    sql::Script script = script_of({{"id", CellKind::json}});
    script.writes = script.counts_inserted = true;
    script.outcome = 1;
    Shape shape;
    shape.returning = request::ReturnKind::representation;
    for (const auto action : {request::Action::insert, request::Action::replace}) {
        shape.action = action;
        EXPECT_EQ(from_rows(shape, script, {rows_of(1, {"7"}), rows_of(4, {"99", {}, {}, "1"})})->status, 201);
        EXPECT_EQ(from_rows(shape, script, {rows_of(1, {"7"}), rows_of(4, {"99", {}, {}, "0"})})->status, 200);
        EXPECT_EQ(from_rows(shape, script, {rows_of(1, {"7"}), rows_of(4, {"99", {}, {}, {}})})->status, 200);
    }
    shape.returning = request::ReturnKind::minimal;
    EXPECT_EQ(from_rows(shape, script, {rows_of(1, {"7"}), rows_of(4, {"99", {}, {}, "1"})})->status, 204);
}

TEST(WriteReply, each_write_has_its_range) {
    sql::Script script;
    script.writes = true;
    sql::Rows rows;
    rows.affected = 2;
    const auto range = [&](request::Action action, request::CountKind count) {
        Shape shape;
        shape.action = action;
        shape.count = count;
        return std::string(from_rows(shape, script, {rows})->headers.get("Content-Range"));
    };
    using request::Action, request::CountKind;
    EXPECT_EQ(range(Action::insert, CountKind::none), "*/*");
    EXPECT_EQ(range(Action::insert, CountKind::exact), "*/2");
    EXPECT_EQ(range(Action::insert, CountKind::planned), "*/*");
    EXPECT_EQ(range(Action::update, CountKind::estimated), "0-1/2");
    EXPECT_EQ(range(Action::remove, CountKind::exact), "*/2");
    EXPECT_EQ(range(Action::replace, CountKind::exact), "");
    rows.affected = 0;
    EXPECT_EQ(range(Action::update, CountKind::exact), "*/0");
}

TEST(WriteReply, the_verdict_refuses_a_put_of_another_row_and_any_singular_write_of_several) {
    sql::Script script;
    script.writes = script.expects_one = true;
    Shape shape;
    shape.representation.one = true;
    sql::Rows rows;
    EXPECT_EQ((*verdict(shape, script))({rows}).error().code, "PGRST115");
    script.expects_one = false;
    EXPECT_EQ((*verdict(shape, script))({rows}).error().code, "PGRST116");
    rows.affected = 1;
    EXPECT_TRUE((*verdict(shape, script))({rows}));
}

TEST(WriteReply, the_verdict_refuses_before_the_commit) {
    sql::Script script;
    script.writes = true;
    Shape shape;
    EXPECT_FALSE(verdict(shape, script));
    shape.max_affected = 1;
    const auto check = verdict(shape, script);
    ASSERT_TRUE(check);
    sql::Rows rows;
    rows.affected = 2;
    EXPECT_EQ((*check)({rows}).error().code, "PGRST124");
    rows.affected = 1;
    EXPECT_TRUE((*check)({rows}));
}

TEST(ErrorReply, has_the_four_members_and_the_headers) {
    const auto reply = from_error(Error::of(Fault::rate_limited).with_hint("slow \"down\"").with_header("Retry-After", "1"));
    EXPECT_EQ(reply.status, 429);
    EXPECT_EQ(reply.headers.get("retry-after"), "1");
    EXPECT_EQ(reply.body.view(), R"({"code":"MR021","details":null,"hint":"slow \"down\"","message":"Too many requests"})");
}

TEST(EntityTag, differs_by_body_and_by_representation) {
    const std::string tag = entity_tag("[]", "application/json");
    EXPECT_TRUE(tag.starts_with('"') && tag.ends_with("-2\"")) << tag;
    EXPECT_EQ(tag, entity_tag("[]", "application/json"));
    EXPECT_NE(tag, entity_tag("[]", "application/vnd.pgrst.object+json"));
    EXPECT_NE(tag, entity_tag("[ ]", "application/json"));
}

}  // namespace millrace::reply
