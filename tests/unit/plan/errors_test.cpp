// What a plan refuses, in PostgREST's words and with the version's names only.
#include <gtest/gtest.h>

#include "shop.hpp"

namespace millrace::shop {
namespace {

using request::Operator;

struct Refused {
    const char* about;
    const Shop& shop;
    const char* resource;
    request::ApiRequest request;
    const char* code;
    int status;
    const char* message;
    const char* details;  // "": none
    const char* hint;     // "": none
};

request::ApiRequest filtered(Items items, request::Condition condition, request::EmbedPath path = {}) {
    auto out = read(std::move(items));
    where(out, std::move(condition), std::move(path));
    return out;
}

request::ApiRequest ordered(Items items, const std::string& relation, const std::string& column) {
    auto out = read(std::move(items));
    order(out, {relation, field(column), false, {}});
    return out;
}

request::SelectEmbed nested(int levels) {
    auto out = embed("categories", {});
    for (int i = 1; i < levels; ++i) out = embed("categories", {{out}});
    return out;
}

std::vector<Refused> refusals() {
    const Shop &a = v1(), &b = v2();
    const auto many_orders = aliased(embed("orders", {col("id")}), "sales");
    return {
        {"a column that is not there", a, "products", read({col("nam")}), "42703", 400, "column products.nam does not exist",
         "", "Perhaps you meant to reference the column \"products.name\"."},
        {"a filter on it", a, "products", filtered({}, eq("xyzzyx", "1")), "42703", 400,
         "column products.xyzzyx does not exist", "", ""},
        {"an order by it", a, "products", ordered({}, "", "xyzzyx"), "42703", 400, "column products.xyzzyx does not exist", "",
         ""},
        {"a hidden column", b, "goods", read({col("attributes")}), "42703", 400, "column goods.attributes does not exist", "",
         ""},
        {"a filter on a hidden column", b, "goods", filtered({}, eq("attributes->>a", "1")), "42703", 400,
         "column goods.attributes does not exist", "", ""},
        {"a column's name in the catalog", b, "goods", read({col("name")}), "42703", 400, "column goods.name does not exist",
         "", ""},
        {"a column of an embed", a, "products", read({{embed("categories", {col("xyzzyx")})}}), "42703", 400,
         "column categories.xyzzyx does not exist", "", ""},
        {"an embed that is none", a, "products", read({{embed("category", {})}}), "PGRST200", 400,
         "Could not find a relationship between 'products' and 'category' in the schema cache",
         "Searched for a foreign key relationship between 'products' and 'category' in the schema 'public', but no matches "
         "were found.",
         "Perhaps you meant 'categories' instead of 'category'."},
        {"an embed that the version hides", b, "goods", read({{embed("orders", {})}}), "PGRST200", 400,
         "Could not find a relationship between 'goods' and 'orders' in the schema cache",
         "Searched for a foreign key relationship between 'goods' and 'orders' in the schema 'public', but no matches were "
         "found.",
         ""},
        {"a relation's name in the catalog", b, "goods", read({{embed("categories", {})}}), "PGRST200", 400,
         "Could not find a relationship between 'goods' and 'categories' in the schema cache",
         "Searched for a foreign key relationship between 'goods' and 'categories' in the schema 'public', but no matches "
         "were found.",
         ""},
        {"a hint that fits nothing", a, "products", read({{hinted(embed("orders", {}), "nope")}}), "PGRST200", 400,
         "Could not find a relationship between 'products' and 'orders' in the schema cache",
         "Searched for a foreign key relationship between 'products' and 'orders' using the hint 'nope' in the schema "
         "'public', but no matches were found.",
         ""},
        {"two ways", a, "orders", read({{embed("customers", {})}}), "PGRST201", 300,
         "Could not embed because more than one relationship was found for 'orders' and 'customers'",
         R"x([{"cardinality":"many-to-one","embedding":"orders with customers","relationship":"orders_customer_id_fkey using orders(customer_id) and customers(id)"},{"cardinality":"many-to-one","embedding":"orders with customers","relationship":"orders_billed_to_fkey using orders(billed_to) and customers(id)"}])x",
         "Try changing 'customers' to one of the following: 'customers!orders_customer_id_fkey', "
         "'customers!orders_billed_to_fkey'. Find the desired relationship in the 'details' key."},
        {"a filter on what is not embedded", a, "products", filtered({}, eq("name", "x"), {"categoriesx"}), "PGRST108", 400,
         "'categoriesx' is not an embedded resource in this request", "",
         "Verify that 'categoriesx' is included in the 'select' query parameter."},
        {"a filter that goes by the name of an aliased embed", a, "products",
         filtered({{many_orders}}, eq("id", "1"), {"orders"}), "PGRST108", 400,
         "'orders' is not an embedded resource in this request",
         "Target names are not allowed in filters if they have an alias",
         "Change 'orders' to 'sales' in filters, orders or limits."},
        {"an order by what is not embedded", a, "products", ordered({}, "categories", "name"), "PGRST108", 400,
         "'categories' is not an embedded resource in this request", "",
         "Verify that 'categories' is included in the 'select' query parameter."},
        {"an order by a to-many embed", a, "products", ordered({{many_orders}}, "sales", "id"), "PGRST118", 400,
         "A related order on 'sales' is not possible",
         "'products' and 'sales' do not form a many-to-one or one-to-one relationship", ""},
        {"an embed compared with a value", a, "products", filtered({{embed("orders", {})}}, eq("orders", "1")), "PGRST120", 400,
         "Bad operator on the 'orders' embedded resource",
         "Only is null or not is null filters are allowed on embedded resources", ""},
        {"an aggregate", a, "products", read({aggregate(request::Aggregate::count, "")}), "PGRST123", 400,
         "Use of aggregate functions is not allowed", "", ""},
        {"too many levels", a, "categories", read({{nested(17)}}), "PGRST100", 400, "The select is nested too deeply",
         "At most 16 levels of embedding are allowed.", ""},
    };
}

TEST(PlanErrors, are_worded_as_postgrest_does_and_name_only_what_the_version_shows) {
    for (const Refused& each : refusals()) {
        SCOPED_TRACE(each.about);
        const auto plan =
            plan::make_plan(each.request, request::Payload{}, each.shop[each.resource], {.legacy_target_names = false});
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, each.code);
        EXPECT_EQ(plan.error().status, each.status);
        EXPECT_EQ(plan.error().message, each.message);
        EXPECT_EQ(plan.error().details.value_or(""), each.details);
        EXPECT_EQ(plan.error().hint.value_or(""), each.hint);
    }
}

TEST(PlanErrors, sixteen_levels_of_embeds_are_allowed) { EXPECT_TRUE(make(read({{nested(16)}}), v1()["categories"])); }

TEST(PlanErrors, ambiguity_details_are_json) {
    const auto plan = make(read({{embed("customers", {})}}), v1()["orders"]);
    EXPECT_TRUE(plan.error().details_is_json);
}

TEST(PlanErrors, deep_filters_are_refused) {
    request::FilterNode filter{eq("id", "1")};
    for (int i = 0; i < 100; ++i) filter = {request::Junction{false, true, {filter}}};
    auto deep = read();
    deep.filters.push_back({{}, filter});
    const auto plan = make(deep, v1()["products"]);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, "PGRST100");
}

TEST(PlanErrors, aggregates_in_spreads_of_many_rows_are_not_there) {
    const auto request = read({{spread(embed("orders", {aggregate(request::Aggregate::count, "id")}))}});
    const auto plan = make(request, v1()["products"], {}, true);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, "PGRST127");
}

TEST(PlanCasts, take_names_of_types_and_nothing_else) {
    const auto accepts = [](const std::string& cast) {
        return make(read({col("id", "", cast)}), v1()["products"]).has_value();
    };
    for (const char* good : {"text", "int4", "numeric(10,2)", "numeric( 10 , 2 )", "double precision", "varchar(3)[]",
                             "int[][3]", "timestamp(3) with time zone", "shop.mood", "\"Mood\"", "shop.\"Mood\"[]", "_int4"})
        EXPECT_TRUE(accepts(good)) << good;
    for (const char* bad : {" ",       "text)", "text) FROM x --",
                            "text;",   "int(",  "int()",
                            "int(a)",  "int(1", "\"\"",
                            "\"a",     "int[",  "int[] x",
                            "a.",      ".a",    "a..b",
                            "1a",      "te'xt", "text--",
                            "int(1)(", "$1",    "a\nb"})
        EXPECT_FALSE(accepts(bad)) << bad;
    EXPECT_FALSE(accepts(std::string(129, 'a')));
}

}  // namespace
}  // namespace millrace::shop
