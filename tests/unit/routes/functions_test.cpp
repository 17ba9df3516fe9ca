// Functions through the lens: which ones a version shows, under which names, and what their rows look like.
#include <gtest/gtest.h>

#include "calls.hpp"

namespace millrace::routes {
namespace {

using calls::version;

std::vector<std::string> names_of(const ApiCatalog& api) {
    std::vector<std::string> names;
    for (const auto& function : api.functions()) names.push_back(function->name);
    return names;
}

std::string problem_of(const std::string& table) {
    const auto parsed = parse_route_table(table, "v1.json");
    const auto lens = build_lens(parsed.table, calls::shop(), {});
    return lens.problems.empty() ? "" : lens.problems.front().path + ": " + lens.problems.front().message;
}

TEST(Functions, of_an_exposed_schema_are_all_that_can_be_called) {
    const auto names = names_of(calls::v1());
    EXPECT_EQ(names.size(), 12U);
    EXPECT_EQ(calls::v1().find_function("hidden_pair"), nullptr);
    EXPECT_EQ(calls::v1().find_function("add")->overloads.size(), 2U);
}

TEST(Functions, are_shown_under_the_names_of_their_rules_only) {
    const auto api = version(R"({"schema": "shop", "resources": {"rpc/plus": {"function": "shop.add", "methods": ["GET"]}}})");
    EXPECT_EQ(names_of(*api), std::vector<std::string>{"plus"});
    EXPECT_TRUE(api->find_function("plus")->allows(message::Method::head));
    EXPECT_FALSE(api->find_function("plus")->allows(message::Method::post));
}

TEST(Functions, may_be_hidden) {
    const auto api = version(R"({"schema": "shop", "expose": "schema", "hide": ["rpc/add"]})");
    EXPECT_EQ(api->find_function("add"), nullptr);
    EXPECT_EQ(problem_of(R"({"schema": "shop", "expose": "schema", "hide": ["rpc/ad"]})"),
              "/hide: there is no function \"ad\" in schema \"shop\"");
    EXPECT_EQ(problem_of(R"({"schema": "shop", "resources": {"rpc/x": {"function": "y"}}})"),
              "/resources/rpc~1x/function: there is no function \"y\" in schema \"shop\"");
    EXPECT_EQ(problem_of(R"({"schema": "shop", "resources": {"rpc/add": {"methods": ["PATCH"]}}})"),
              "/resources/rpc~1add/methods/0: a function cannot do PATCH");
}

TEST(Functions, give_rows_of_a_relation_through_its_resource) {
    const auto api = version(
        R"({"schema": "shop", "expose": "schema", "resources": {"goods": {"relation": "products", "rename": {"title": "name"}}}})");
    const Overload& rows = api->find_function("cheap_products")->overloads.front();
    EXPECT_EQ(rows.rows, api->find("goods"));
    EXPECT_EQ(rows.result, rows.rows);
    const auto alone = version(R"({"schema": "shop", "resources": {"rpc/cheap_products": {}}})");
    const Overload& unshown = alone->find_function("cheap_products")->overloads[0];
    ASSERT_NE(unshown.rows, nullptr);
}

TEST(Functions, without_rows_give_one_column) {
    const Overload& scalar = calls::v1().find_function("numbers")->overloads.front();
    EXPECT_EQ(scalar.rows, nullptr);
    ASSERT_EQ(scalar.result->columns.size(), 1U);
    EXPECT_EQ(scalar.result->columns.front().name, scalar_column);
}

TEST(Functions, tell_by_allow_whether_they_only_write) {
    EXPECT_EQ(calls::v1().find_function("restock")->allow(), "OPTIONS,POST");
    EXPECT_EQ(calls::v1().find_function("numbers")->allow(), "OPTIONS,GET,HEAD,POST");
}

TEST(Functions, are_matched_below_rpc) {
    const Versions versions{std::shared_ptr<const ApiCatalog>(&calls::v1(), [](const ApiCatalog*) {})};
    const auto known = match(versions, "/v1/rpc/add", {}, {});
    ASSERT_TRUE(known);
    EXPECT_EQ(known->function, calls::v1().find_function("add"));
    const auto unknown = match(versions, "/v1/rpc/ad%64%20x", {}, {});
    ASSERT_TRUE(unknown);
    EXPECT_EQ(unknown->function->name, "add x");
    EXPECT_TRUE(unknown->function->overloads.empty());
    EXPECT_EQ(match(versions, "/v1/rpc/add/more", {}, {}).error().code, "PGRST125");
    EXPECT_EQ(match(versions, "/v1/rpc", {}, {}).error().code, "PGRST205");
}

}  // namespace
}  // namespace millrace::routes
