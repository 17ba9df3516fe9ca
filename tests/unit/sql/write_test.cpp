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
          start + " ON CONFLICT (\"id\") DO UPDATE SET \"id\" = EXCLUDED.\"id\", \"name\" = EXCLUDED.\"name\"", {body.json});
    request.preferences.resolution = request::Resolution::ignore_duplicates;
    request.on_conflict = {"email"};
    check(script_of(request, "customers", body), start + " ON CONFLICT (\"email\") DO NOTHING", {body.json});
}

TEST(SqlInsert, without_a_key_knows_no_conflict) {
    auto request = write(Action::insert);
    request.preferences.resolution = request::Resolution::merge_duplicates;
    check(script_of(request, "words", payload(R"([{"id":1}])", {"id"})),
          "INSERT INTO \"public\".\"words\" AS t0 (\"id\") SELECT b0.\"id\" FROM json_to_recordset($1::json) AS b0(\"id\" "
          "integer)",
          {R"([{"id":1}])"});
}

TEST(SqlReplace, writes_only_the_row_of_the_url) {
    const auto script =
        script_of(at(write(Action::replace), "5"), "customers", payload(R"({"id":5,"name":"x"})", {"id", "name"}));
    check(
        script,
        "INSERT INTO \"public\".\"customers\" AS t0 (\"id\", \"name\") SELECT b0.\"id\", b0.\"name\" FROM "
        "json_to_recordset($1::json) AS b0(\"id\" integer, \"name\" text) WHERE b0.\"id\" = $2 ON CONFLICT (\"id\") DO UPDATE "
        "SET \"id\" = EXCLUDED.\"id\", \"name\" = EXCLUDED.\"name\"",
        {R"([{"id":5,"name":"x"}])", "5"});
    EXPECT_TRUE(script.expects_one);
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
    EXPECT_EQ(script.statements[1].text,
              "SELECT pg_current_xact_id_if_assigned()::text, nullif(current_setting('response.headers', true), ''), "
              "nullif(current_setting('response.status', true), '')");
}

}  // namespace
}  // namespace millrace::shop
