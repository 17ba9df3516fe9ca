// Computed columns and relationships, and what refers to embeds by other names than their keys.
#include <gtest/gtest.h>

#include "shop.hpp"

namespace millrace::shop {
namespace {

using catalog::Volatility;
using request::Action;

std::optional<Volatility> most_volatile(const request::ApiRequest& request) {
    const auto plan = make(request, v1()["products"]);
    return plan::most_volatile_function(std::get<plan::Read>(plan.value()).root);
}

TEST(PlanComputed, columns_are_found_by_name_but_not_by_star) {
    const auto plan = make(read({col("label"), col("*")}), v1()["products"]);
    ASSERT_TRUE(plan);
    const auto& columns = std::get<plan::Read>(*plan).root.columns;
    ASSERT_EQ(columns.size(), 9U);
    EXPECT_TRUE(columns[0].field.column->computed);
    for (std::size_t i = 1; i < columns.size(); ++i) EXPECT_FALSE(columns[i].field.column->computed);
}

TEST(PlanComputed, columns_are_not_written) {
    request::ApiRequest request;
    request.action = Action::insert;
    const auto plan = make(request, v1()["products"], payload(R"({"label":"x"})", {"label"}));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, "PGRST204");
}

TEST(PlanComputed, what_is_called_anywhere_decides_how_volatile_a_read_is) {
    EXPECT_EQ(most_volatile(read()), std::nullopt);
    EXPECT_EQ(most_volatile(read({col("label")})), Volatility::immutable);
    EXPECT_EQ(most_volatile(read({col("label"), col("stock")})), Volatility::stable);
    auto filtered = read({col("id")});
    where(filtered, eq("stock", "1"));
    EXPECT_EQ(most_volatile(filtered), Volatility::stable);
    auto ordered = read({col("id")});
    order(ordered, {"", field("stock"), false, {}});
    EXPECT_EQ(most_volatile(ordered), Volatility::stable);
    EXPECT_EQ(most_volatile(read({{embed("open_orders", {col("id")})}})), Volatility::stable);
    EXPECT_EQ(most_volatile(read({{embed("main_category", {{embed("products", {col("stock")})}})}})), Volatility::stable);
}

TEST(PlanComputed, relationships_go_by_the_function_alone) {
    const auto plan = make(read({{embed("main_category", {})}, {embed("categories", {})}}), v1()["products"]);
    ASSERT_TRUE(plan);
    const auto& embeds = std::get<plan::Read>(*plan).root.embeds;
    EXPECT_TRUE(embeds[0].link->relationship->function);
    EXPECT_FALSE(embeds[1].link->relationship->function) << "the target has other ways, too";
}

TEST(PlanNames, a_mistake_in_what_is_embedded_is_told_before_a_missing_column) {
    const auto code = [](const request::ApiRequest& request) { return make(request, v1()["products"]).error().code; };
    EXPECT_EQ(code(read({col("nothing")})), "42703");
    EXPECT_EQ(code(read({col("nothing"), {embed("nowhere", {})}})), "PGRST200");
    auto elsewhere = read({col("nothing")});
    where(elsewhere, eq("id", "1"), {"categories"});
    EXPECT_EQ(code(elsewhere), "PGRST108");
    auto to_many = read({col("nothing"), {embed("open_orders", {col("id")})}});
    order(to_many, {"open_orders", field("id"), false, {}});
    EXPECT_EQ(code(to_many), "PGRST118");
}

TEST(PlanNames, an_embed_with_an_alias_may_go_by_its_relation) {
    auto request = read({col("id"), {aliased(embed("categories", {col("id")}), "kind")}});
    where(request, eq("id", "1"), {"categories"});
    const auto plan = make(request, v1()["products"]);
    ASSERT_TRUE(plan);
    EXPECT_EQ(std::get<plan::Read>(*plan).root.embeds[0].filters.size(), 1U);
    const auto names = plan::legacy_names(*plan);
    ASSERT_EQ(names.size(), 1U);
    EXPECT_EQ(names[0].name + " " + names[0].alias, "categories kind");
    EXPECT_FALSE(plan::make_plan(request, request::Payload{}, v1()["products"], {.legacy_target_names = false}));
}

TEST(PlanNames, count_is_a_column_of_every_relation) {
    const auto plan = plan::make_plan(read({col("count")}), request::Payload{}, v1()["products"]);
    ASSERT_TRUE(plan) << "without aggregates, too";
    EXPECT_EQ(std::get<plan::Read>(*plan).root.columns[0].aggregate, request::Aggregate::count);
}

}  // namespace
}  // namespace millrace::shop
