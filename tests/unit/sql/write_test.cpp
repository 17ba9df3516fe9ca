// Writes as SQL.
#include <gtest/gtest.h>

#include "millrace/core/sql.hpp"
#include "shop.hpp"

namespace millrace::shop {
namespace {

using request::Action;
using request::ReturnKind;

request::ApiRequest write(Action action, ReturnKind returning = ReturnKind::minimal) {
    request::ApiRequest out;
    out.action = action;
    out.preferences.returning = returning;
    return out;
}

request::ApiRequest at(request::ApiRequest request, const std::string& id) {
    where(request, eq("id", id));
    return request;
}

sql::Script script_of(const request::ApiRequest& request, const char* resource, const request::Payload& body = {}) {
    const auto plan = make(request, v1()[resource], body);
    EXPECT_TRUE(plan) << plan.error().message;
    return sql::render(*plan, {});
}

// How rows of an upsert are counted.
const std::string counted =
    "set_config('millrace.inserted', (coalesce(nullif(current_setting('millrace.inserted', true), '')::int, 0) + 1)::text, "
    "true) "
    "IS NOT NULL";
const std::string uncounted =
    "set_config('millrace.inserted', (coalesce(nullif(current_setting('millrace.inserted', true), '')::int, 0) - 1)::text, "
    "true) "
    "IS NOT NULL";

void check(const sql::Script& script, const std::string& text, const std::vector<std::string>& parameters) {
    EXPECT_EQ(script.statements.at(0).text, text);
    std::vector<std::string> found;
    for (const auto& parameter : script.statements.at(0).parameters) found.push_back(parameter.value());
    EXPECT_EQ(found, parameters);
}

TEST(SqlInsert, takes_its_rows_from_one_json_parameter) {
    const std::string text =
        "INSERT INTO \"public\".\"customers\" AS t0 (\"id\", \"name\") SELECT b0.\"id\", b0.\"name\" FROM "
        "json_to_recordset($1::json) AS b0(\"id\" integer, \"name\" text)";
    check(script_of(write(Action::insert), "customers", payload(R"({"id":1,"name":"x"})", {"id", "name"})), text,
          {R"([{"id":1,"name":"x"}])"});
    check(script_of(write(Action::insert), "customers", payload(R"([{"id":1,"name":"x"}])", {"id", "name"})), text,
          {R"([{"id":1,"name":"x"}])"});
}

TEST(SqlInsert, without_keys_makes_one_row_of_defaults_for_each_object) {
    const std::string text = "INSERT INTO \"public\".\"customers\" AS t0 SELECT FROM json_array_elements($1::json) AS b0";
    check(script_of(write(Action::insert), "customers", payload("[]", {}, 0)), text, {"[]"});
    check(script_of(write(Action::insert), "customers", payload("{}", {})), text, {"[{}]"});
}

TEST(SqlInsert, returns_plain_rows_directly_and_embeds_from_a_cte) {
    auto request = write(Action::insert, ReturnKind::representation);
    request.select = {col("id"), col("tags")};
    check(script_of(request, "products", payload(R"({"name":"x"})", {"name"})),
          "INSERT INTO \"public\".\"products\" AS t0 (\"name\") SELECT b0.\"name\" FROM json_to_recordset($1::json) AS "
          "b0(\"name\" text) RETURNING t0.\"id\", to_json(t0.\"tags\")",
          {R"([{"name":"x"}])"});
    request.select = {col("name"), {embed("categories", {col("name")})}};
    check(script_of(request, "products", payload(R"({"name":"x"})", {"name"})),
          "WITH pgrst_source AS (INSERT INTO \"public\".\"products\" AS t0 (\"name\") SELECT b0.\"name\" FROM "
          "json_to_recordset($1::json) AS b0(\"name\" text) RETURNING t0.\"category_id\", t0.\"name\") SELECT t0.\"name\", "
          "row_to_json(e1.*) FROM pgrst_source AS t0 LEFT JOIN LATERAL (SELECT t1.\"name\" AS \"name\" FROM "
          "\"public\".\"categories\" AS t1 WHERE t1.\"id\" = t0.\"category_id\") AS e1 ON true",
          {R"([{"name":"x"}])"});
}

TEST(SqlInsert, resolves_conflicts) {
    auto request = write(Action::insert);
    const std::string start =
        "INSERT INTO \"public\".\"customers\" AS t0 (\"id\", \"name\") SELECT b0.\"id\", b0.\"name\" FROM "
        "json_to_recordset($1::json) AS b0(\"id\" integer, \"name\" text)";
    const auto body = payload(R"([{"id":1,"name":"x"}])", {"id", "name"});
    request.preferences.resolution = request::Resolution::merge_duplicates;
    check(script_of(request, "customers", body),
          start + " WHERE " + counted +
              " ON CONFLICT (\"id\") DO UPDATE SET \"id\" = EXCLUDED.\"id\", \"name\" = EXCLUDED.\"name\" WHERE " + uncounted,
          {body.json});
    request.preferences.resolution = request::Resolution::ignore_duplicates;
    request.on_conflict = {"email"};
    check(script_of(request, "customers", body), start + " ON CONFLICT (\"email\") DO NOTHING", {body.json});
}

TEST(SqlInsert, without_a_key_knows_no_conflict) {
    auto request = write(Action::insert);
    request.preferences.resolution = request::Resolution::merge_duplicates;
    check(script_of(request, "words", payload(R"([{"id":1}])", {"id"})),
          "INSERT INTO \"public\".\"words\" AS t0 (\"id\") SELECT b0.\"id\" FROM json_to_recordset($1::json) AS b0(\"id\" "
          "integer) WHERE " +
              counted,
          {R"([{"id":1}])"});
}

TEST(SqlReplace, writes_only_the_row_of_the_url) {
    const auto script =
        script_of(at(write(Action::replace), "5"), "customers", payload(R"({"id":5,"name":"x"})", {"id", "name"}));
    check(script,
          "INSERT INTO \"public\".\"customers\" AS t0 (\"id\", \"name\") SELECT b0.\"id\", b0.\"name\" FROM "
          "json_to_recordset($1::json) AS b0(\"id\" integer, \"name\" text) WHERE b0.\"id\" = $2 AND " +
              counted + " ON CONFLICT (\"id\") DO UPDATE SET \"id\" = EXCLUDED.\"id\", \"name\" = EXCLUDED.\"name\" WHERE " +
              uncounted,
          {R"([{"id":5,"name":"x"}])", "5"});
    EXPECT_TRUE(script.expects_one);
}

TEST(SqlInsert, gives_each_object_the_defaults_that_it_lacks) {
    Shop shop;
    shop.relations.push_back(table("customers", {column("id", "integer"), column("name", "text")}, {"id"}));
    shop.relations.back().columns.front().default_expression = "nextval('s'::regclass)";
    auto request = write(Action::insert);
    request.has_columns = request.preferences.missing_default = true;
    request.columns = {"number", "name"};
    const auto plan = make(request, shop.show("customers", "customers", {{"id", "number"}}), payload("[{},{}]", {}));
    check(sql::render(*plan, {}),
          "INSERT INTO \"public\".\"customers\" AS t0 (\"id\", \"name\") SELECT b0.\"number\", b0.\"name\" FROM "
          "jsonb_to_recordset((SELECT jsonb_agg(jsonb_build_object($1::text, nextval('s'::regclass)) || x0.value) FROM "
          "jsonb_array_elements($2::jsonb) AS x0)) AS b0(\"number\" integer, \"name\" text)",
          {"number", "[{},{}]"});
}

TEST(SqlInsert, of_many_defaults_calls_no_function_with_too_many_arguments) {
    Shop shop;
    std::vector<catalog::Column> columns;
    for (int i = 0; i < 51; ++i) {
        columns.push_back(column("c" + std::to_string(i), "integer"));
        columns.back().default_expression = "0";
    }
    shop.relations.push_back(table("wide", columns, {}));
    auto request = write(Action::insert);
    request.has_columns = request.preferences.missing_default = true;
    for (const auto& each : columns) request.columns.push_back(each.name);
    const auto plan = make(request, shop.show("wide", "wide"), payload("{}", {}));
    EXPECT_NE(sql::render(*plan, {}).statements.at(0).text.find("$50::text, 0) || jsonb_build_object($51::text, 0) || x0."),
              std::string::npos);
}

TEST(SqlInsert, reads_what_represents_a_domain_by_its_functions) {
    Shop shop;
    shop.relations.push_back(table("paints", {column("id", "integer"), column("colour", "integer")}, {"colour"}));
    shop.relations.back().columns.back().represented =
        catalog::Representation{{}, catalog::RoutineName{"public", "from_j"}, catalog::RoutineName{"public", "from_t"}};
    const routes::Resource& paints = shop.show("paints", "paints");
    auto request = write(Action::replace);
    where(request, eq("colour", "#1"));
    const auto plan = make(request, paints, payload(R"({"colour":"#1"})", {"colour"}));
    const std::string text = sql::render(*plan, {}).statements.at(0).text;
    EXPECT_TRUE(
        text.starts_with("INSERT INTO \"public\".\"paints\" AS t0 (\"colour\") SELECT "
                         "\"public\".\"from_j\"(b0.\"colour\") FROM json_to_recordset($1::json) AS "
                         "b0(\"colour\" json) WHERE \"public\".\"from_j\"(b0.\"colour\") = "
                         "\"public\".\"from_t\"($2::text) AND "))
        << text;
}

TEST(SqlUpdate, sets_columns_from_the_payload) {
    check(script_of(at(write(Action::update), "5"), "customers", payload(R"({"name":"x"})", {"name"})),
          "UPDATE \"public\".\"customers\" AS t0 SET \"name\" = b0.\"name\" FROM json_to_recordset($1::json) AS b0(\"name\" "
          "text) WHERE t0.\"id\" = $2",
          {R"([{"name":"x"}])", "5"});
}

TEST(SqlUpdate, of_no_columns_changes_nothing_but_keeps_its_outputs) {
    const auto script = script_of(at(write(Action::update, ReturnKind::representation), "5"), "customers", payload("{}", {}));
    check(script,
          "WITH pgrst_source AS (SELECT t0.\"email\", t0.\"id\", t0.\"name\" FROM \"public\".\"customers\" AS t0 WHERE false) "
          "SELECT t0.\"id\", t0.\"name\", t0.\"email\" FROM pgrst_source AS t0",
          {});
    EXPECT_EQ(script.cells.size(), 3U);
    check(script_of(write(Action::update), "customers", payload("{}", {})), "SELECT WHERE false", {});
}

TEST(SqlRemove, deletes_what_the_filters_leave) {
    check(script_of(at(write(Action::remove, ReturnKind::representation), "5"), "customers"),
          "DELETE FROM \"public\".\"customers\" AS t0 WHERE t0.\"id\" = $1 RETURNING t0.\"id\", t0.\"name\", t0.\"email\"",
          {"5"});
    check(script_of(write(Action::remove), "customers"), "DELETE FROM \"public\".\"customers\" AS t0", {});
}

TEST(SqlWrites, end_with_the_xid) {
    const auto script = script_of(at(write(Action::remove), "5"), "customers");
    EXPECT_TRUE(script.writes);
    EXPECT_EQ(script.outcome, script.main + 1);
    EXPECT_TRUE(script.cells.empty());
    EXPECT_EQ(script.main, 0U);
    ASSERT_EQ(script.statements.size(), 2U);
    EXPECT_EQ(
        script.statements[1].text,
        "SELECT pg_current_xact_id_if_assigned()::text, nullif(current_setting('response.headers', true), ''), "
        "nullif(current_setting('response.status', true), ''), nullif(current_setting('millrace.invalidated', true), '')");
}

TEST(SqlWrites, tell_how_many_rows_an_upsert_added) {
    auto request = write(Action::insert);
    EXPECT_FALSE(script_of(request, "customers", payload("{}", {"id"})).counts_inserted);
    request.preferences.resolution = request::Resolution::merge_duplicates;
    const auto script = script_of(request, "customers", payload("{}", {"id"}));
    EXPECT_TRUE(script.counts_inserted);
    EXPECT_EQ(script.statements.back().text,
              "SELECT pg_current_xact_id_if_assigned()::text, nullif(current_setting('response.headers', true), ''), "
              "nullif(current_setting('response.status', true), ''), nullif(current_setting('millrace.invalidated', true), "
              "''), nullif(current_setting('millrace.inserted', true), '')");
}

}  // namespace
}  // namespace millrace::shop
