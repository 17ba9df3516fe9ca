// Functions of rows and of values in SQL.
#include <gtest/gtest.h>

#include "golden.hpp"

namespace millrace::shop {
namespace {

using request::Operator;

TEST(SqlComputed, columns_are_calls_with_the_row) {
    auto request = read({col("id"), col("label", "name"), col("stock->a")});
    where(request, eq("label", "x"));
    order(request, {"", field("stock"), true, {}});
    check({{"everywhere",
            "products",
            request,
            "SELECT t0.\"id\", \"public\".\"label\"(t0), (to_jsonb(\"public\".\"stock\"(t0))->$1) FROM "
            "\"public\".\"products\" AS t0 WHERE \"public\".\"label\"(t0) = $2 ORDER BY \"public\".\"stock\"(t0) DESC",
            {"a", "x"}}},
          v1());
}

TEST(SqlComputed, relationships_are_calls_instead_of_joins) {
    auto to_one = read({col("id"), {inner(embed("main_category", {col("name")}))}});
    where(to_one, eq("id", "3"), {"main_category"});
    order(to_one, {"main_category", field("id"), false, {}});
    check({{"to many",
            "products",
            read({{embed("open_orders", {col("id")})}}),
            "SELECT (SELECT coalesce(json_agg(x1.*), '[]') FROM (SELECT t1.\"id\" AS \"id\" FROM "
            "\"public\".\"open_orders\"(t0) AS t1) AS x1) FROM \"public\".\"products\" AS t0",
            {}},
           {"to one",
            "products",
            to_one,
            "SELECT t0.\"id\", row_to_json(e1.*) FROM \"public\".\"products\" AS t0 INNER JOIN LATERAL (SELECT "
            "t1.\"name\" AS \"name\" FROM \"public\".\"main_category\"(t0) AS t1 WHERE t1.\"id\" = $1) AS e1 ON true LEFT "
            "JOIN LATERAL \"public\".\"main_category\"(t0) AS o1 ON true AND o1.\"id\" = $2 ORDER BY o1.\"id\"",
            {"3", "3"}}},
          v1());
}

TEST(SqlComputed, rows_of_a_write_carry_the_row_that_functions_take) {
    request::ApiRequest request = read({col("name"), col("label"), {embed("open_orders", {col("id")})}});
    request.action = request::Action::remove;
    request.preferences.returning = request::ReturnKind::representation;
    const auto plan = make(request, v1()["products"]);
    ASSERT_TRUE(plan);
    EXPECT_EQ(sql::render(*plan, {}).statements[0].text,
              "WITH pgrst_source AS (DELETE FROM \"public\".\"products\" AS t0 RETURNING t0.\"name\", t0 AS \"pgrst_row\") "
              "SELECT t0.\"name\", \"public\".\"label\"(t0.\"pgrst_row\"), (SELECT coalesce(json_agg(x1.*), '[]') FROM (SELECT "
              "t1.\"id\" AS \"id\" FROM \"public\".\"open_orders\"(t0.\"pgrst_row\") AS t1) AS x1) FROM pgrst_source AS t0");
}

TEST(SqlRepresentations, functions_shape_outputs_and_read_what_is_compared_with) {
    Shop paints;
    catalog::Column color = column("color", "integer");
    color.represented = catalog::Representation{.to_json = catalog::RoutineName{"public", "to_j"},
                                                .from_text = catalog::RoutineName{"public", "from_t"}};
    paints.relations.push_back(table("paints", {column("id", "integer"), color}, {"id"}));
    paints.show("paints", "paints");
    auto request = read();
    where(request, eq("color", "red"));
    where(request, is("color", Operator::like, "r*"));
    request::Condition in = is("color", Operator::in, "");
    in.values = {"red", "blue"};
    where(request, in);
    check({{"all",
            "paints",
            request,
            "SELECT t0.\"id\", to_json(\"public\".\"to_j\"(t0.\"color\")) FROM \"public\".\"paints\" AS t0 WHERE "
            "t0.\"color\" = \"public\".\"from_t\"($1::text) AND t0.\"color\" LIKE $2 AND t0.\"color\" = ANY(SELECT "
            "\"public\".\"from_t\"(v) FROM unnest($3::text[]) AS v)",
            {"red", "r%", "{\"red\",\"blue\"}"}}},
          paints);
}

TEST(SqlAggregates, grouped_rows_are_ordered_by_what_a_spread_gives) {
    auto request = read({aggregate(request::Aggregate::sum, "price"), {spread(embed("categories", {col("name", "kind")}))}});
    order(request, {"categories", field("kind"), false, {}});
    check({{"by its alias",
            "products",
            request,
            "SELECT to_jsonb(sum(t0.\"price\")), e1.c1 FROM \"public\".\"products\" AS t0 LEFT JOIN LATERAL (SELECT "
            "t1.\"name\" AS c1 FROM \"public\".\"categories\" AS t1 WHERE t1.\"id\" = t0.\"category_id\") AS e1 ON true "
            "GROUP BY 2 ORDER BY e1.c1",
            {}}},
          v1());
}

}  // namespace
}  // namespace millrace::shop
