// A process that serves a part of the routes.
#include <gtest/gtest.h>
#include <algorithm>

#include <millrace/core/part.hpp>

namespace millrace::part {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const catalog::Catalog> shop() {
    auto catalog = std::make_shared<catalog::Catalog>();
    for (const char* name : {"products", "orders", "customers"}) {
        catalog::Relation relation;
        relation.schema = "shop";
        relation.name = name;
        relation.columns = {{.name = "id"}, {.name = "product_id"}};
        relation.primary_key = {"id"};
        catalog->relations.push_back(std::move(relation));
    }
    catalog->foreign_keys = {{"o_product", "shop.orders", "shop.products", {{"product_id", "id"}}}};
    for (const char* name : {"total", "count_all"}) {
        catalog::Function function;
        function.schema = "shop";
        function.name = name;
        catalog->functions.push_back(std::move(function));
    }
    complete(*catalog);
    return catalog;
}

std::shared_ptr<const routes::ApiCatalog> lens(const routes::RouteTable& table) {
    const auto built = build_lens(table, shop(), {});
    EXPECT_TRUE(built.problems.empty()) << built.problems.at(0).message;
    return built.api;
}

std::shared_ptr<const routes::ApiCatalog> version(const char* text, const char* file = "v1.json") {
    return lens(routes::parse_route_table(text, file).table);
}

Names served(const routes::ApiCatalog& whole, const Names& only) {
    const auto api = lens(table_of(whole, only));
    Names out;
    for (const auto& resource : api->resources()) out.push_back(resource->name);
    for (const auto& function : api->functions()) out.push_back(function->route);
    for (const auto& service : api->upstreams()) out.push_back(service->name);
    std::ranges::sort(out);
    return out;
}

constexpr const char* exposed = R"({"schema": "shop", "expose": "schema"})";
constexpr const char* renamed = R"({"schema": "shop", "expose": "schema", "resources": {"goods": {"relation": "products"},
    "rpc/sum": {"function": "total"}, "customers": {"upstream": {"urls": ["http://a"]}}}})";

}  // namespace

TEST(Part, has_the_named_routes_alone) {
    const auto whole = version(exposed);
    EXPECT_EQ(served(*whole, {"products"}), Names{"products"});
    EXPECT_EQ(served(*whole, {"rpc/total", "orders"}), (Names{"orders", "rpc/total"}));
    EXPECT_EQ(served(*whole, {"v1/orders", "v2/products"}), Names{"orders"});
}

TEST(Part, shows_nothing_under_another_name_than_the_whole_does) {
    const auto whole = version(renamed);
    EXPECT_EQ(served(*whole, {"goods"}), Names{"goods"});
    EXPECT_EQ(served(*whole, {"products"}), Names{});
    EXPECT_EQ(served(*whole, {"orders", "rpc/sum"}), (Names{"orders", "rpc/sum"}));
    EXPECT_EQ(served(*whole, {"customers"}), Names{"customers"});
    EXPECT_EQ(served(*whole, {"rpc/total"}), Names{});
}

TEST(Part, embeds_nothing_that_it_does_not_show) {
    const auto whole = version(exposed);
    EXPECT_FALSE(whole->find("orders")->links.empty());
    EXPECT_TRUE(lens(table_of(*whole, Names{"orders"}))->find("orders")->links.empty());
    EXPECT_FALSE(lens(table_of(*whole, Names{"orders", "products"}))->find("orders")->links.empty());
}

TEST(Part, of_unknown_names_is_a_problem_with_a_suggestion) {
    const routes::Versions whole{version(exposed), version(renamed, "v2.json")};
    EXPECT_TRUE(unknown_names(whole, Names{"products", "v2/goods", "rpc/sum", "customers"}).empty());
    const auto problems = unknown_names(whole, Names{"products", "prodcts", "v1/goods", "v3/orders"});
    ASSERT_EQ(problems.size(), 3U);
    EXPECT_EQ(problems[0].path, "/only/1");
    EXPECT_EQ(problems[0].suggestion, "products");
    EXPECT_EQ(problems[1].path, "/only/2");
}

}  // namespace millrace::part
