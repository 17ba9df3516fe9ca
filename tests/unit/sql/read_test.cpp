// Reads as SQL: the text that goes to Postgres, its parameters, and what the cells are.
#include <gtest/gtest.h>

#include "golden.hpp"

namespace millrace::shop {
namespace {

using request::Aggregate;
using request::Operator;

TEST(SqlReads, rows_are_plain_columns) {
    auto key = read();
    where(key, eq("id", "5"));
    auto list = read({col("id"), col("price", "cost", "text"), col("attributes->color"), col("tags", "", "text[]")});
    where(list, is("price", Operator::gte, "10"));
    order(list, {"", field("price"), true, false});
    order(list, {"", field("id"), false, true});
    window(list, 20, 40);
    auto odd = read({col("id")});
    window(odd, 17);
    auto renamed = read({col("title")});
    where(renamed, eq("group_id", "3"));
    check({{"by key",
            "products",
            key,
            "SELECT t0.\"id\", t0.\"name\", t0.\"price\", t0.\"category_id\", to_json(t0.\"tags\"), t0.\"attributes\", "
            "t0.\"feeling\", t0.\"created_at\" FROM \"public\".\"products\" AS t0 WHERE t0.\"id\" = $1",
            {"5"}},
           {"a page",
            "products",
            list,
            "SELECT t0.\"id\", CAST(t0.\"price\" AS text), (t0.\"attributes\"->$1), to_json(CAST(t0.\"tags\" AS text[])) FROM "
            "\"public\".\"products\" AS t0 WHERE t0.\"price\" >= $2 ORDER BY t0.\"price\" DESC NULLS LAST, t0.\"id\" NULLS "
            "FIRST LIMIT 20 OFFSET $3::bigint",
            {"color", "10", "40"}},
           {"an unusual page size is a parameter",
            "products",
            odd,
            "SELECT t0.\"id\" FROM \"public\".\"products\" AS t0 LIMIT $1::bigint",
            {"17"}}},
          v1());
    check({{"names of the catalog behind those of the version",
            "goods",
            renamed,
            "SELECT t0.\"name\" FROM \"public\".\"products\" AS t0 WHERE t0.\"category_id\" = $1 LIMIT 50",
            {"3"}}},
          v2());
}

TEST(SqlReads, identifiers_are_quoted) {
    Shop shop;
    shop.relations.push_back(table("a\"b", {column("c\"d", "integer")}, {}));
    shop.show("a\"b", "odd");
    auto request = read({col("c\"d")});
    check({{"quotes", "odd", request, "SELECT t0.\"c\"\"d\" FROM \"public\".\"a\"\"b\" AS t0", {}}}, shop);
}

TEST(SqlEmbeds, to_one_is_a_lateral_join_and_to_many_a_subquery) {
    auto deep = read({col("id"),
                      {embed("categories", {col("name"), {aliased(embed("parent_id", {col("id")}), "parent")}})},
                      {embed("order_items", {col("quantity"), {embed("orders", {col("id")})}})}});
    where(deep, is("quantity", Operator::gt, "1"), {"order_items"});
    order(deep, {"", field("quantity"), true, {}}, {"order_items"});
    window(deep, 2, 0, {"order_items"});
    auto junction = read({col("id"), {aliased(embed("products", {col("name", "n")}), "goods")}});
    check({{"nested",
            "products",
            deep,
            "SELECT t0.\"id\", row_to_json(e1.*), (SELECT coalesce(json_agg(x2.*), '[]') FROM (SELECT t2.\"quantity\" AS "
            "\"quantity\", row_to_json(e3.*) AS \"orders\" FROM \"public\".\"order_items\" AS t2 LEFT JOIN LATERAL (SELECT "
            "t3.\"id\" AS \"id\" FROM \"public\".\"orders\" AS t3 WHERE t3.\"id\" = t2.\"order_id\") AS e3 ON true WHERE "
            "t2.\"product_id\" = t0.\"id\" AND t2.\"quantity\" > $1 ORDER BY t2.\"quantity\" DESC LIMIT 2) AS x2) FROM "
            "\"public\".\"products\" AS t0 LEFT JOIN LATERAL (SELECT t1.\"name\" AS \"name\", row_to_json(e4.*) AS \"parent\" "
            "FROM \"public\".\"categories\" AS t1 LEFT JOIN LATERAL (SELECT t4.\"id\" AS \"id\" FROM \"public\".\"categories\" "
            "AS t4 WHERE t4.\"id\" = t1.\"parent_id\") AS e4 ON true WHERE t1.\"id\" = t0.\"category_id\") AS e1 ON true",
            {"1"}},
           {"through a junction",
            "orders",
            junction,
            "SELECT t0.\"id\", (SELECT coalesce(json_agg(x1.*), '[]') FROM (SELECT t1.\"name\" AS \"n\" FROM "
            "\"public\".\"order_items\" AS j1 INNER JOIN \"public\".\"products\" AS t1 ON t1.\"id\" = j1.\"product_id\" WHERE "
            "j1.\"order_id\" = t0.\"id\") AS x1) FROM \"public\".\"orders\" AS t0",
            {}}},
          v1());
}

TEST(SqlEmbeds, inner_ones_filter_and_tests_ask_for_existence) {
    auto both = read({col("id"), {inner(embed("categories", {col("name")}))}, {inner(embed("orders", {col("id")}))}});
    where(both, eq("customer_id", "5"), {"orders"});
    auto tests = read({col("id"), {embed("categories", {})}, {embed("orders", {})}});
    where(tests, is("categories", Operator::is, "null"));
    where(tests, negated(is("orders", Operator::is, "null")));
    auto hidden = read({col("id"), {inner(embed("categories", {}))}});
    check(
        {{"inner",
          "products",
          both,
          "SELECT t0.\"id\", row_to_json(e1.*), (SELECT coalesce(json_agg(x2.*), '[]') FROM (SELECT t2.\"id\" AS \"id\" FROM "
          "\"public\".\"order_items\" AS j2 INNER JOIN \"public\".\"orders\" AS t2 ON t2.\"id\" = j2.\"order_id\" WHERE "
          "j2.\"product_id\" = t0.\"id\" AND t2.\"customer_id\" = $1) AS x2) FROM \"public\".\"products\" AS t0 INNER JOIN "
          "LATERAL (SELECT t1.\"name\" AS \"name\" FROM \"public\".\"categories\" AS t1 WHERE t1.\"id\" = "
          "t0.\"category_id\") AS e1 ON true WHERE EXISTS (SELECT 1 FROM \"public\".\"order_items\" AS j3 INNER JOIN "
          "\"public\".\"orders\" AS t3 ON t3.\"id\" = j3.\"order_id\" WHERE j3.\"product_id\" = t0.\"id\" AND "
          "t3.\"customer_id\" = $2)",
          {"5", "5"}},
         {"null tests",
          "products",
          tests,
          "SELECT t0.\"id\" FROM \"public\".\"products\" AS t0 WHERE NOT EXISTS (SELECT 1 FROM \"public\".\"categories\" AS t3 "
          "WHERE t3.\"id\" = t0.\"category_id\") AND EXISTS (SELECT 1 FROM \"public\".\"order_items\" AS j4 INNER JOIN "
          "\"public\".\"orders\" AS t4 ON t4.\"id\" = j4.\"order_id\" WHERE j4.\"product_id\" = t0.\"id\")",
          {}},
         {"inner and not shown",
          "products",
          hidden,
          "SELECT t0.\"id\" FROM \"public\".\"products\" AS t0 WHERE EXISTS (SELECT 1 FROM \"public\".\"categories\" AS t2 "
          "WHERE t2.\"id\" = t0.\"category_id\")",
          {}}},
        v1());
}

TEST(SqlEmbeds, a_related_order_joins_what_it_orders_by) {
    auto request = read({col("id"), {embed("categories", {})}});
    order(request, {"categories", field("name"), true, {}});
    where(request, eq("name", "x"), {"categories"});
    check({{"order",
            "products",
            request,
            "SELECT t0.\"id\" FROM \"public\".\"products\" AS t0 LEFT JOIN \"public\".\"categories\" AS o1 ON o1.\"id\" = "
            "t0.\"category_id\" AND o1.\"name\" = $1 ORDER BY o1.\"name\" DESC",
            {"x"}}},
          v1());
}

TEST(SqlEmbeds, spreads_give_their_columns_to_the_level_above) {
    auto request = read({col("id"),
                         {spread(embed("categories", {col("name", "category")}))},
                         {spread(embed("orders", {col("id", "order_ids")}))}});
    order(request, {"", field("id"), false, {}}, {"orders"});
    const auto script = script_of(request, v1()["products"]);
    EXPECT_EQ(
        script.statements[0].text,
        "SELECT t0.\"id\", e1.c1, e2.c1 FROM \"public\".\"products\" AS t0 LEFT JOIN LATERAL (SELECT t1.\"name\" AS c1 FROM "
        "\"public\".\"categories\" AS t1 WHERE t1.\"id\" = t0.\"category_id\") AS e1 ON true LEFT JOIN LATERAL (SELECT "
        "coalesce(json_agg(x2.c1), '[]') AS c1 FROM (SELECT t2.\"id\" AS c1 FROM \"public\".\"order_items\" AS j2 INNER "
        "JOIN \"public\".\"orders\" AS t2 ON t2.\"id\" = j2.\"order_id\" WHERE j2.\"product_id\" = t0.\"id\" ORDER BY "
        "t2.\"id\") AS x2) AS e2 ON true");
    ASSERT_EQ(script.cells.size(), 3U);
    EXPECT_EQ(script.cells[1].key, "category");
    EXPECT_EQ(script.cells[1].kind, sql::CellKind::text);
    EXPECT_EQ(script.cells[2].kind, sql::CellKind::json);
}

TEST(SqlAggregates, group_by_what_is_none) {
    auto sum = read({aggregate(Aggregate::sum, "price"),
                     aggregate(Aggregate::count, ""),
                     {embed("categories", {col("name")})},
                     col("feeling")});
    auto hoisted = read({col("order_id"), {spread(embed("products", {aggregate(Aggregate::max, "name", "last")}))}});
    check({{"with an embed",
            "products",
            sum,
            "SELECT to_jsonb(sum(t0.\"price\")), count(1), t0.\"feeling\", row_to_json(e1.*)::jsonb FROM "
            "\"public\".\"products\" AS t0 LEFT JOIN LATERAL (SELECT t1.\"name\" AS \"name\" FROM \"public\".\"categories\" AS "
            "t1 WHERE t1.\"id\" = t0.\"category_id\") AS e1 ON true GROUP BY 3, 4",
            {}},
           {"of a spread",
            "order_items",
            hoisted,
            "SELECT t0.\"order_id\", max(e1.c1) FROM \"public\".\"order_items\" AS t0 LEFT JOIN LATERAL (SELECT t1.\"name\" AS "
            "c1 FROM \"public\".\"products\" AS t1 WHERE t1.\"id\" = t0.\"product_id\") AS e1 ON true GROUP BY 1",
            {}}},
          v1());
}

TEST(SqlCells, kinds_follow_the_types) {
    using sql::CellKind;
    const auto script = script_of(read(), v1()["products"]);
    std::vector<CellKind> kinds;
    for (const auto& cell : script.cells) kinds.push_back(cell.kind);
    EXPECT_EQ(kinds, (std::vector<CellKind>{CellKind::json, CellKind::text, CellKind::number, CellKind::json, CellKind::json,
                                            CellKind::json, CellKind::text, CellKind::timestamptz}));
}

TEST(SqlCells, kinds_follow_casts_and_paths) {
    using sql::CellKind;
    struct Row {
        request::SelectItem item;
        CellKind kind;
        bool wrapped;
    };
    for (const Row& row : std::initializer_list<Row>{{col("id", "", "text"), CellKind::text, false},
                                                     {col("id", "", "VARCHAR(3)"), CellKind::text, false},
                                                     {col("id", "", "varchar(3)[]"), CellKind::json, true},
                                                     {col("id", "", "double precision"), CellKind::number, false},
                                                     {col("id", "", "mood"), CellKind::json, true},
                                                     {col("attributes->a"), CellKind::json, false},
                                                     {col("attributes->>a"), CellKind::text, false}}) {
        const auto script = script_of(read({row.item}), v1()["products"]);
        EXPECT_EQ(script.cells.at(0).kind, row.kind) << script.statements[0].text;
        EXPECT_EQ(script.statements[0].text.starts_with("SELECT to_json("), row.wrapped) << script.statements[0].text;
    }
}

TEST(SqlScripts, the_count_keeps_filters_and_inner_embeds_but_no_window) {
    auto request = read({col("id"), {inner(embed("categories", {col("name")}))}, {embed("orders", {col("id")})}});
    where(request, eq("name", "x"));
    where(request, eq("name", "y"), {"categories"});
    window(request, 10, 20);
    request.preferences.count = request::CountKind::exact;
    const auto script = script_of(request, v1()["products"]);
    ASSERT_EQ(script.count, 0U);
    EXPECT_EQ(script.main, 1U);  // a large answer can begin before its rows are all there, and its head needs the total
    EXPECT_EQ(script.statements[0].text,
              "SELECT count(*) FROM \"public\".\"products\" AS t0 WHERE t0.\"name\" = $1 AND EXISTS (SELECT 1 FROM "
              "\"public\".\"categories\" AS t1 WHERE t1.\"id\" = t0.\"category_id\" AND t1.\"name\" = $2)");
}

TEST(SqlScripts, the_snapshot_is_a_last_column_and_no_cell) {
    const auto plan = make(read({col("id")}), v1()["products"]);
    const auto script = sql::render(*plan, {}, {.want_snapshot = true});
    EXPECT_TRUE(script.has_snapshot);
    EXPECT_EQ(script.cells.size(), 1U);
    EXPECT_EQ(script.statements[0].text, "SELECT t0.\"id\", (SELECT pg_current_snapshot()) FROM \"public\".\"products\" AS t0");
    auto one = read({col("id")});
    where(one, eq("id", "5"));
    EXPECT_EQ(sql::render(*make(one, v1()["products"]), {}, {.want_snapshot = true}).statements[0].text,
              "SELECT t0.\"id\", pg_current_snapshot() FROM \"public\".\"products\" AS t0 WHERE t0.\"id\" = $1");
}

TEST(SqlScripts, session_settings_come_first) {
    const auto plan = make(read({col("id")}), v1()["products"]);
    const auto script = sql::render(*plan, {.role = "web", .settings = {{"request.jwt.claims", "{}"}}});
    ASSERT_EQ(script.statements.size(), 2U);
    EXPECT_EQ(script.main, 1U);
    EXPECT_EQ(script.statements[0].text, "SELECT set_config($1, $2, true), set_config($3, $4, true)");
    EXPECT_EQ(script.statements[0].parameters.at(3), "{}");
    const auto settings_only = sql::render(*plan, {.settings = {{"a.b", "c"}}});
    EXPECT_EQ(settings_only.statements[0].text, "SELECT set_config($1, $2, true)");
}

TEST(SqlScripts, rows_without_columns_can_still_be_counted) {
    const auto script = script_of(read({{embed("categories", {})}}), v1()["products"]);
    EXPECT_TRUE(script.cells.empty());
    EXPECT_EQ(script.statements[0].text, "SELECT NULL FROM \"public\".\"products\" AS t0");
}

}  // namespace
}  // namespace millrace::shop
