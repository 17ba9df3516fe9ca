// The lens: what a version shows of a small shop, and what its table gets wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <millrace/core/routes.hpp>

namespace millrace::routes {
namespace {

using catalog::Catalog;
using catalog::Relation;
using message::Method;
using Names = std::vector<std::string>;

Relation relation(std::string schema, std::string name, const Names& columns, Names key = {"id"}) {
    Relation made;
    made.schema = std::move(schema);
    made.name = std::move(name);
    for (const std::string& column : columns) made.columns.push_back({.name = column});
    made.primary_key = std::move(key);
    return made;
}

std::shared_ptr<const Catalog> shop() {
    auto catalog = std::make_shared<Catalog>();
    catalog->relations = {relation("shop", "products", {"id", "name", "cost", "category_id"}),
                          relation("shop", "categories", {"id", "name"}),
                          relation("shop", "tags", {"id", "word"}),
                          relation("shop", "product_tags", {"product_id", "tag_id"}, {"product_id", "tag_id"}),
                          relation("inside", "product_notes", {"product_id", "tag_id"}, {"product_id", "tag_id"}),
                          relation("shop", "report", {"total"}, {}),
                          relation("shop", "orders_2026", {"id"}),
                          relation("other", "staff", {"id"})};
    Relation& report = catalog->relations[5];
    report.kind = catalog::RelationKind::view;
    report.insertable = report.updatable = report.deletable = false;
    catalog->relations[6].partition = true;
    catalog->foreign_keys = {
        {"p_category", "shop.products", "shop.categories", {{"category_id", "id"}}},
        {"pt_product", "shop.product_tags", "shop.products", {{"product_id", "id"}}},
        {"pt_tag", "shop.product_tags", "shop.tags", {{"tag_id", "id"}}},
        {"n_product", "inside.product_notes", "shop.products", {{"product_id", "id"}}},
        {"n_tag", "inside.product_notes", "shop.tags", {{"tag_id", "id"}}},
    };
    complete(*catalog);
    return catalog;
}

Lens lens_of(std::string_view text, const config::Settings& settings = {}) {
    const ParsedTable parsed = parse_route_table(text, "v1.json");
    EXPECT_TRUE(parsed.problems.empty());
    return build_lens(parsed.table, shop(), settings);
}

Names names_of(const ApiCatalog& api) {
    Names names;
    for (const auto& resource : api.resources()) names.push_back(resource->name);
    std::ranges::sort(names);
    return names;
}

Names columns_of(const Resource& resource) {
    Names names;
    for (const ApiColumn& column : resource.columns) names.push_back(column.name);
    return names;
}

Names targets_of(const Resource& resource) {
    Names names;
    for (const Link& link : resource.links) names.push_back(link.target->name);
    std::ranges::sort(names);
    return names;
}

}  // namespace

TEST(Lens, an_exposed_schema_is_shown_but_for_what_is_hidden_and_partitions) {
    const Lens lens = lens_of(R"({"schema": "shop", "expose": "schema", "hide": ["report"]})");
    ASSERT_TRUE(lens.api);
    EXPECT_EQ(names_of(*lens.api), (Names{"categories", "product_tags", "products", "tags"}));
    EXPECT_EQ(lens.api->find("report"), nullptr);
    EXPECT_NE(lens.api->find("tags"), nullptr);
}

TEST(Lens, a_listed_relation_has_only_its_listed_names) {
    const Lens lens = lens_of(R"({"schema": "shop", "expose": "schema", "resources": {
        "items": {"relation": "products", "rename": {"title": "name"}, "hide": ["cost"]},
        "people": {"relation": "other.staff"}, "old": {"relation": "orders_2026"}}})");
    ASSERT_TRUE(lens.api);
    EXPECT_EQ(lens.api->find("products"), nullptr);
    EXPECT_NE(lens.api->find("people"), nullptr);
    EXPECT_NE(lens.api->find("old"), nullptr) << "a partition that is listed";
    const Resource& items = *lens.api->find("items");
    EXPECT_EQ(columns_of(items), (Names{"id", "title", "category_id"}));
    EXPECT_EQ(items.column("title")->column->name, "name");
    EXPECT_EQ(items.column("name"), nullptr);
    EXPECT_EQ(items.column("cost"), nullptr);
    EXPECT_EQ(items.by_catalog_name("name")->name, "title");
    EXPECT_EQ(items.by_catalog_name("cost"), nullptr);
}

TEST(Lens, links_lead_only_to_what_is_shown) {
    const Lens listed = lens_of(R"({"schema": "shop", "resources": {
        "items": {"relation": "products", "only": ["id"]}, "groups": {"relation": "categories"}}})");
    ASSERT_TRUE(listed.api);
    EXPECT_EQ(targets_of(*listed.api->find("items")), (Names{"groups"})) << "by a column that is hidden";
    EXPECT_EQ(targets_of(*listed.api->find("groups")), (Names{"items"}));
    EXPECT_EQ(listed.api->find("items")->links[0].target, listed.api->find("groups"));
}

TEST(Lens, a_junction_is_of_the_schema_or_shown) {
    const auto many = [](const Lens& lens) {
        const auto& links = lens.api->find("products")->links;
        return std::ranges::count_if(
            links, [](const Link& l) { return l.relationship->cardinality == catalog::Cardinality::many_to_many; });
    };
    EXPECT_EQ(many(lens_of(R"({"schema": "shop", "resources": {"products": {}, "tags": {}}})")), 1);
    EXPECT_EQ(many(lens_of(R"({"schema": "shop", "resources": {"products": {}, "tags": {},
                              "notes": {"relation": "inside.product_notes"}}})")),
              2);
}

TEST(Lens, policies_come_from_the_rule_the_defaults_and_the_settings) {
    config::Settings settings;
    settings.database.rows_max = 500;
    settings.http.body_bytes_max = 1000;
    const Lens lens = lens_of(R"({"schema": "shop", "defaults": {"cache": {"ttl_s": 5}, "page_size_max": 100}, "resources": {
        "products": {"page_size_max": 50, "body_bytes_max": 9, "class": "fast"}, "tags": {"page_size_max": 9999},
        "categories": {"cache": {"ttl_s": 0}}}})",
                              settings);
    ASSERT_TRUE(lens.api);
    const ResolvedPolicies& products = lens.api->find("products")->policies;
    EXPECT_EQ(products.page_size_max, 50U);
    EXPECT_EQ(products.body_bytes_max, 9U);
    EXPECT_EQ(products.route_class, RouteClass::fast);
    EXPECT_EQ(products.cache.ttl_s, 5U);
    EXPECT_EQ(lens.api->find("tags")->policies.page_size_max, 500U);
    EXPECT_EQ(lens.api->find("categories")->policies.page_size_max, 100U);
    EXPECT_EQ(lens.api->find("categories")->policies.body_bytes_max, 1000U);
    EXPECT_EQ(lens.api->find("categories")->policies.cache.ttl_s, 0U);
}

TEST(Lens, methods_are_what_the_relation_can_do_and_the_table_allows) {
    const Lens lens = lens_of(R"({"schema": "shop", "expose": "schema", "resources": {
        "categories": {"methods": ["GET"]}, "tags": {"methods": ["GET", "POST"]}}})");
    ASSERT_TRUE(lens.api);
    EXPECT_EQ(lens.api->find("products")->allow(), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
    EXPECT_EQ(lens.api->find("categories")->allow(), "OPTIONS,GET,HEAD");
    EXPECT_EQ(lens.api->find("tags")->allow(), "OPTIONS,GET,HEAD,POST");
    EXPECT_EQ(lens.api->find("report")->allow(), "OPTIONS,GET,HEAD");
    EXPECT_TRUE(lens.api->find("tags")->allows(Method::post));
    EXPECT_FALSE(lens.api->find("tags")->allows(Method::del));
}

TEST(Lens, each_mistake_is_a_problem_with_a_suggestion) {
    struct Case {
        const char *resources, *path, *suggestion;
    };
    const Case cases[] = {
        {R"({"items": {"relation": "prodcts"}})", "/resources/items/relation", "products"},
        {R"({"items": {"relation": "other.stafff"}})", "/resources/items/relation", "other.staff"},
        {R"({"products": {"rename": {"title": "nmae"}}})", "/resources/products/rename/title", "name"},
        {R"({"products": {"hide": ["csot"]}})", "/resources/products/hide", "cost"},
        {R"({"products": {"only": ["id", "nam"]}})", "/resources/products/only/1", "name"},
        {R"({"products": {"rename": {"title": "name"}, "hide": ["name"]}})", "/resources/products/rename/title", ""},
        {R"({"products": {"rename": {"title": "name"}, "only": ["id"]}})", "/resources/products/rename/title", ""},
        {R"({"products": {"rename": {"a": "name", "b": "name"}}})", "/resources/products/rename/b", ""},
        {R"({"products": {"rename": {"cost": "name"}}})", "/resources/products/rename/cost", ""},
        {R"({"report": {"methods": ["DELETE"]}})", "/resources/report/methods/0", ""},
        {R"({"tags": {"relation": "products"}})", "/resources/tags", ""},
    };
    for (const Case& c : cases) {
        const Lens lens = lens_of(R"({"schema": "shop", "expose": "schema", "resources": )" + std::string(c.resources) + "}");
        EXPECT_FALSE(lens.api) << c.resources;
        ASSERT_EQ(lens.problems.size(), 1U) << c.resources;
        EXPECT_EQ(lens.problems[0].path, c.path);
        EXPECT_EQ(lens.problems[0].file, "v1.json");
        EXPECT_EQ(lens.problems[0].suggestion, c.suggestion) << c.resources;
    }
    const Lens hidden = lens_of(R"({"schema": "shop", "expose": "schema", "hide": ["repotr"]})");
    ASSERT_EQ(hidden.problems.size(), 1U);
    EXPECT_EQ(hidden.problems[0].suggestion, "report");
}

TEST(Lens, names_may_be_exchanged) {
    const Lens lens = lens_of(R"({"schema": "shop", "resources": {"tags": {"rename": {"id": "word", "word": "id"}}}})");
    ASSERT_TRUE(lens.api) << lens.problems[0].message;
    EXPECT_EQ(lens.api->find("tags")->column("id")->column->name, "word");
}

TEST(Lens, the_first_table_shows_the_schema_and_has_no_mistake) {
    const std::string text = first_route_table(*shop(), "shop");
    const ParsedTable parsed = parse_route_table(text, "v1.json");
    ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].message;
    const Lens lens = build_lens(parsed.table, shop(), {});
    ASSERT_TRUE(lens.api);
    EXPECT_EQ(names_of(*lens.api), (Names{"categories", "product_tags", "products", "report", "tags"}));
    EXPECT_NE(text.find("\"products\""), std::string::npos);
}

TEST(Lens, a_name_with_a_line_break_cannot_leave_its_comment) {
    Catalog catalog;
    catalog.relations = {relation("shop", "x\n}, \"hide\": 5 //", {"id"})};
    EXPECT_TRUE(parse_route_table(first_route_table(catalog, "shop"), "v1.json").problems.empty());
}

TEST(Lens, computed_columns_and_relationships_are_shown_unless_hidden) {
    auto catalog = std::make_shared<Catalog>(*shop());
    Relation& products = catalog->relations[0];
    products.computed = {{.name = "label", .computed = catalog::RoutineName{"shop", "label"}},
                         {.name = "stock", .computed = catalog::RoutineName{"shop", "stock"}}};
    catalog->relationships.push_back({.source = "shop.products", .target = "shop.tags"});
    catalog->relationships.back().function = catalog::RoutineName{"shop", "own_tags"};
    complete(*catalog);
    const auto lens = [&](const std::string& rule) {
        const ParsedTable parsed = parse_route_table(
            R"({"version":"v1","schema":"shop","resources":{"tags":{"relation":"tags"},"products":{"relation":"products")" +
                rule + "}}}",
            "v1.json");
        return build_lens(parsed.table, catalog, {});
    };
    const auto shown = [](const Lens& built, const std::string& column) {
        return built.api != nullptr && built.api->find("products")->readable(column) != nullptr;
    };
    const auto ways = [](const Lens& built) {
        return std::ranges::count_if(built.api->find("products")->links,
                                     [](const Link& link) { return link.relationship->function.has_value(); });
    };
    const Lens plain = lens("");
    EXPECT_TRUE(shown(plain, "label") && shown(plain, "stock"));
    EXPECT_EQ(plain.api->find("products")->column("label"), nullptr) << "it is not stored";
    EXPECT_EQ(ways(plain), 1);
    const Lens hidden = lens(R"(,"hide":["stock","own_tags"],"rename":{"title":"label"})");
    EXPECT_TRUE(shown(hidden, "title"));
    EXPECT_FALSE(shown(hidden, "label") || shown(hidden, "stock"));
    EXPECT_EQ(ways(hidden), 0);
    const Lens some = lens(R"(,"only":["id","stock"])");
    EXPECT_TRUE(shown(some, "stock"));
    EXPECT_FALSE(shown(some, "label"));
    EXPECT_FALSE(lens(R"(,"hide":["nothing"])").problems.empty());
}

}  // namespace millrace::routes
