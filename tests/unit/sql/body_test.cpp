// Statements whose body Postgres makes, and plans.
#include <gtest/gtest.h>

#include "millrace/core/sql.hpp"
#include "shop.hpp"

namespace millrace::shop {
namespace {

using sql::BodyKind;
using sql::Output;

sql::Form body(BodyKind kind) {
    sql::Form form;
    form.output = Output::body;
    form.body.kind = kind;
    return form;
}

sql::Form explained(sql::Form form, sql::Explain how = {}) {
    form.explain = how;
    return form;
}

sql::Script script_of(const request::ApiRequest& request, const char* resource, const sql::Form& form, bool cached = false,
                      const request::Payload& payload = {}) {
    const auto plan = make(request, v1()[resource], payload);
    EXPECT_TRUE(plan) << plan.error().message;
    return sql::render(*plan, {}, {.want_snapshot = cached, .form = form});
}

std::string text_of(const request::ApiRequest& request, const char* resource, const sql::Form& form) {
    return script_of(request, resource, form).statements.at(0).text;
}

}  // namespace

TEST(SqlBody, cells_of_csv_are_what_postgres_prints) {
    sql::Form form;
    form.output = Output::text;
    const auto script = script_of(read({col("id"), col("tags", "t")}), "products", form);
    EXPECT_EQ(script.statements.at(0).text, "SELECT t0.\"id\", t0.\"tags\" FROM \"public\".\"products\" AS t0");
    ASSERT_EQ(script.cells.size(), 2U);
    EXPECT_EQ(script.cells[1].key, "t");
    EXPECT_EQ(script.answer, sql::Answer::rows);
}

TEST(SqlBody, a_handler_gets_the_rows_under_their_names) {
    sql::Form form = body(BodyKind::handler);
    form.body.handler = {"public", "na\"me"};
    EXPECT_EQ(
        text_of(read({col("id"), col("name", "n")}), "customers", form),
        "SELECT count(*) AS page, \"public\".\"na\"\"me\"(\"_\") AS body FROM (SELECT t0.\"id\" AS \"id\", t0.\"name\" AS "
        "\"n\" FROM \"public\".\"customers\" AS t0) AS \"_\"");
    form.body.rows_of = v1()["customers"].relation;
    form.body.binary = true;
    const auto script = script_of(read({col("id")}), "customers", form, true);
    EXPECT_EQ(script.statements.at(0).text,
              "SELECT count(*) AS page, encode((\"public\".\"na\"\"me\"(\"_\"::\"public\".\"customers\"))::bytea, 'hex') AS "
              "body, (SELECT pg_current_snapshot()) FROM (SELECT t0.\"id\" AS \"id\" FROM \"public\".\"customers\" AS "
              "t0) AS \"_\"");
    EXPECT_EQ(script.answer, sql::Answer::body);
    EXPECT_TRUE(script.binary && script.has_snapshot && script.cells.empty());
}

TEST(SqlBody, a_write_becomes_a_body_behind_it) {
    request::ApiRequest request = read({col("id")});
    request.action = request::Action::remove;
    request.preferences.returning = request::ReturnKind::representation;
    where(request, eq("id", "1"));
    const auto script = script_of(request, "customers", body(BodyKind::features));
    EXPECT_EQ(script.statements.at(0).text,
              "WITH pgrst_source AS (DELETE FROM \"public\".\"customers\" AS t0 WHERE t0.\"id\" = $1 RETURNING t0.\"id\") "
              "SELECT count(*) AS page, json_build_object('type', 'FeatureCollection', 'features', "
              "coalesce(json_agg(ST_AsGeoJSON(\"_\")::json), '[]')) AS body FROM (SELECT t0.\"id\" AS \"id\" FROM "
              "pgrst_source AS t0) AS \"_\"");
    EXPECT_EQ(script.answer, sql::Answer::body);
    request.preferences.returning = request::ReturnKind::minimal;
    EXPECT_EQ(script_of(request, "customers", body(BodyKind::features)).answer, sql::Answer::rows);
}

TEST(SqlPlan, names_the_relation_and_has_what_the_answer_costs) {
    request::ApiRequest request = read({col("id")});
    request.preferences.count = request::CountKind::exact;
    EXPECT_EQ(text_of(request, "customers", explained(body(BodyKind::array))),
              "EXPLAIN (FORMAT TEXT) SELECT count(*) AS total, count(*) AS page, coalesce(json_agg(\"_\"), '[]') AS body FROM "
              "(SELECT \"customers\".\"id\" AS \"id\" FROM \"public\".\"customers\" AS \"customers\") AS \"_\"");
    window(request, 5);
    const auto script =
        script_of(request, "customers",
                  explained(body(BodyKind::object),
                            {.json = true, .analyze = true, .verbose = true, .settings = true, .buffers = true, .wal = true}));
    EXPECT_EQ(script.statements.at(0).text,
              "EXPLAIN (FORMAT JSON, ANALYZE, VERBOSE, SETTINGS, BUFFERS, WAL) SELECT (SELECT count(*) FROM "
              "\"public\".\"customers\" AS \"customers\") AS total, count(*) AS page, coalesce(json_agg(\"_\")->0, 'null') AS "
              "body FROM (SELECT \"customers\".\"id\" AS \"id\" FROM \"public\".\"customers\" AS \"customers\" LIMIT 5) AS "
              "\"_\"");
    EXPECT_EQ(script.answer, sql::Answer::plan);
    EXPECT_EQ(script.statements.size(), 1U);
    EXPECT_FALSE(script.count);
}

TEST(SqlPlan, of_a_put_is_not_taken_for_its_rows) {
    request::ApiRequest request = read();
    request.action = request::Action::replace;
    where(request, eq("id", "1"));
    const auto script = script_of(request, "customers", explained(body(BodyKind::array)), false,
                                  payload(R"({"id":1,"name":"x","email":"y"})", {"id", "name", "email"}));
    EXPECT_TRUE(script.statements.at(0).text.starts_with("EXPLAIN (FORMAT TEXT) INSERT INTO \"public\".\"customers\""));
    EXPECT_EQ(script.answer, sql::Answer::plan);
    EXPECT_FALSE(script.expects_one);
    EXPECT_TRUE(script.writes);
}

}  // namespace millrace::shop
