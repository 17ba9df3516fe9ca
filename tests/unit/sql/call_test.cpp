// Calls and the SQL that they become.
#include <gtest/gtest.h>

#include "calls.hpp"

namespace millrace::sql {
namespace {

using calls::post;
using calls::Sent;

struct Golden {
    const char* about;
    std::string function;
    Sent sent;
    std::string sql;
    std::vector<std::string> parameters;
};

Script script_of(const std::string& function, const Sent& sent) {
    const auto plan = calls::call(function, sent);
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? render(*plan, {}) : Script{};
}

const std::vector<Golden> goldens = {
    {"a scalar",
     "area",
     {.query = "width=3"},
     R"(SELECT t0."pgrst_scalar" FROM (SELECT "shop"."area"("width" := $1::integer) AS pgrst_scalar) AS t0)",
     {"3"}},
    {"no length cuts an argument",
     "greet",
     {.query = "name=xyz&others=a"},
     R"(SELECT t0."pgrst_scalar" FROM (SELECT "shop"."greet"("name" := $1::character varying, VARIADIC "others" := $2::text[]) AS pgrst_scalar) AS t0)",
     {"xyz", R"({"a"})"}},
    {"members of a body",
     "area",
     post(R"({"radius": 3, "precise": true})"),
     R"(SELECT t0."pgrst_scalar" FROM json_to_record($1::json) AS b0("radius" integer, "precise" boolean) CROSS JOIN LATERAL (SELECT "shop"."area"("radius" := b0."radius", "precise" := b0."precise") AS pgrst_scalar) AS t0)",
     {R"({"radius": 3, "precise": true})"}},
    {"the first object of an array",
     "area",
     post(R"([{"width": 3}])"),
     R"(SELECT t0."pgrst_scalar" FROM (SELECT * FROM json_to_recordset($1::json) AS b0("width" integer) LIMIT 1) AS b0 CROSS JOIN LATERAL (SELECT "shop"."area"("width" := b0."width") AS pgrst_scalar) AS t0)",
     {R"([{"width": 3}])"}},
    {"rows of a relation, filtered as such",
     "cheap_products",
     {.query = "below=5&name=eq.x&order=id.desc"},
     R"(SELECT t0."id", t0."name", t0."category_id" FROM "shop"."cheap_products"("below" := $1::numeric) AS t0 WHERE t0."name" = $2 ORDER BY t0."id" DESC)",
     {"5", "x"}},
    {"a record is one value",
     "untyped",
     {},
     R"(SELECT to_json(t0."pgrst_scalar") FROM (SELECT "shop"."untyped"() AS pgrst_scalar) AS t0)",
     {}},
    {"the window of a counted call: it runs once",
     "numbers",
     {.query = "limit=2", .prefer = "count=exact"},
     R"(WITH pgrst_source AS (SELECT t0.* FROM (SELECT "shop"."numbers"() AS pgrst_scalar) AS t0) SELECT r0.*, c0.total FROM (SELECT count(*) FROM pgrst_source AS t0) AS c0(total) LEFT JOIN LATERAL (SELECT t0."pgrst_scalar", true FROM pgrst_source AS t0 LIMIT 2) AS r0 ON true)",
     {}},
};

TEST(CallSql, is_as_written_here) {
    for (const Golden& each : goldens) {
        SCOPED_TRACE(each.about);
        const Script script = script_of(each.function, each.sent);
        ASSERT_EQ(script.statements.size(), script.main + 1);
        EXPECT_EQ(script.statements[script.main].text, each.sql);
        std::vector<std::string> parameters;
        for (const auto& value : script.statements[script.main].parameters) parameters.push_back(value.value());
        EXPECT_EQ(parameters, each.parameters);
        EXPECT_EQ(script.has_total, each.sent.prefer == "count=exact");
        EXPECT_FALSE(script.writes);
    }
}

TEST(CallSql, gives_a_body_to_the_parameter_without_a_name) {
    const Script script = script_of("take_bytes", post(std::string("\0\xFFz", 3), "application/octet-stream"));
    EXPECT_EQ(script.statements[script.main].text,
              R"(SELECT t0."pgrst_scalar" FROM (SELECT "shop"."take_bytes"($1::bytea) AS pgrst_scalar) AS t0)");
    EXPECT_EQ(script.statements[script.main].parameters.front(), "\\x00ff7a");
    EXPECT_TRUE(script.writes);
}

TEST(CallSql, says_the_isolation_before_anything_else_and_in_a_block) {
    const auto plan = calls::call("numbers", {});
    Session session;
    session.role = "web";
    session.isolation = "repeatable read";
    const Script script = render(*plan, session);
    EXPECT_EQ(script.statements.front().text, "SET TRANSACTION ISOLATION LEVEL repeatable read");
    EXPECT_TRUE(script.in_block);
    EXPECT_EQ(script.main, 2U);
}

}  // namespace
}  // namespace millrace::sql
