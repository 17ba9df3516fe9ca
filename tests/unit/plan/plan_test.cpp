// What a plan is made of: links found, windows capped, keys recognised, payloads resolved.
#include <gtest/gtest.h>

#include "shop.hpp"

namespace millrace::shop {
namespace {

using request::Action;
using request::Operator;
using request::ReturnKind;

const plan::ReadNode& root_of(const Result<plan::Plan>& plan) { return std::get<plan::Read>(*plan).root; }

struct Found {
    const char* resource;
    request::SelectEmbed embed;
    const char* target;
    catalog::Cardinality cardinality;
    const char* constraint;
};

TEST(PlanEmbeds, are_found_by_target_constraint_column_and_hint) {
    using catalog::Cardinality;
    const std::vector<Found> table = {
        {"products", embed("categories", {}), "categories", Cardinality::many_to_one, "products_category_id_fkey"},
        {"products", embed("products_category_id_fkey", {}), "categories", Cardinality::many_to_one,
         "products_category_id_fkey"},
        {"products", embed("category_id", {}), "categories", Cardinality::many_to_one, "products_category_id_fkey"},
        {"categories", embed("products", {}), "products", Cardinality::one_to_many, "products_category_id_fkey"},
        {"orders", hinted(embed("customers", {}), "orders_billed_to_fkey"), "customers", Cardinality::many_to_one,
         "orders_billed_to_fkey"},
        {"orders", hinted(embed("customers", {}), "customer_id"), "customers", Cardinality::many_to_one,
         "orders_customer_id_fkey"},
        {"customers", hinted(embed("orders", {}), "billed_to"), "orders", Cardinality::one_to_many, "orders_billed_to_fkey"},
        {"orders", embed("products", {}), "products", Cardinality::many_to_many, ""},
        {"orders", hinted(embed("products", {}), "order_items"), "products", Cardinality::many_to_many, ""},
        {"categories", embed("categories", {}), "categories", Cardinality::one_to_many, "categories_parent_id_fkey"},
        {"categories", embed("parent_id", {}), "categories", Cardinality::many_to_one, "categories_parent_id_fkey"},
        {"categories", hinted(embed("categories", {}), "parent_id"), "categories", Cardinality::one_to_many,
         "categories_parent_id_fkey"},
    };
    for (const Found& each : table) {
        SCOPED_TRACE(each.embed.relation + "!" + each.embed.hint);
        const auto plan = make(read({{each.embed}}), v1()[each.resource]);
        ASSERT_TRUE(plan);
        const plan::ReadNode& found = root_of(plan).embeds.at(0);
        EXPECT_EQ(found.resource->name, each.target);
        EXPECT_EQ(found.link->relationship->cardinality, each.cardinality);
        EXPECT_EQ(found.link->relationship->constraint, each.constraint);
    }
}

TEST(PlanEmbeds, go_by_the_names_of_the_version) {
    const auto plan = make(read({{embed("group_id", {col("name")})}}), v2()["goods"]);
    ASSERT_TRUE(plan);
    EXPECT_EQ(root_of(plan).embeds.at(0).resource->name, "groups");
}

TEST(PlanEmbeds, without_columns_are_not_shown) {
    const auto hidden = make(read({{embed("categories", {{embed("parent_id", {})}})}}), v1()["products"]);
    EXPECT_FALSE(root_of(hidden).embeds.at(0).shown);
    const auto deep = make(read({{embed("categories", {{embed("parent_id", {col("id")})}})}}), v1()["products"]);
    EXPECT_TRUE(root_of(deep).embeds.at(0).shown);
}

TEST(PlanSelect, names_outputs_by_alias_or_by_the_last_key_of_a_path) {
    const auto plan =
        make(read({col("id"), col("id", "number"), col("attributes->a->>b"), col("attributes->a->0"), col("tags->0")}),
             v1()["products"]);
    ASSERT_TRUE(plan);
    std::vector<std::string> keys;
    for (const auto& column : root_of(plan).columns) keys.push_back(column.key);
    EXPECT_EQ(keys, (std::vector<std::string>{"id", "number", "b", "a", "tags"}));
}

TEST(PlanSelect, of_everything_is_what_the_version_shows) {
    const auto plan = make(read(), v2()["goods"]);
    std::vector<std::string> keys;
    for (const auto& column : root_of(plan).columns) keys.push_back(column.key);
    EXPECT_EQ(keys, (std::vector<std::string>{"id", "title", "price", "group_id", "tags", "feeling", "created_at"}));
}

TEST(PlanWindows, are_cut_to_the_page_size_of_each_resource) {
    auto request = read({col("id"), {embed("goods", {col("id")})}});
    window(request, 1000);
    window(request, 70, 5, {"goods"});
    const auto plan = make(request, v2()["groups"]);
    ASSERT_TRUE(plan);
    EXPECT_EQ(root_of(plan).window.limit, 1000);  // groups have no limit of their own
    EXPECT_EQ(root_of(plan).embeds.at(0).window.limit, 50);
    EXPECT_EQ(root_of(plan).embeds.at(0).window.offset, 5);
    EXPECT_EQ(root_of(make(read(), v2()["goods"])).window.limit, 50);
    EXPECT_EQ(root_of(make(read(), v1()["products"])).window.limit, std::nullopt);
}

TEST(PlanKeys, one_row_is_known_by_eq_on_the_whole_primary_key_and_nothing_else) {
    const auto by_key = [](const char* resource, std::vector<request::Condition> conditions) {
        auto request = read();
        for (auto& condition : conditions) where(request, std::move(condition));
        return std::get<plan::Read>(*make(request, v1()[resource])).by_full_key;
    };
    EXPECT_TRUE(by_key("products", {eq("id", "1")}));
    EXPECT_TRUE(by_key("order_items", {eq("product_id", "1"), eq("order_id", "2")}));
    EXPECT_FALSE(by_key("order_items", {eq("order_id", "2")}));
    EXPECT_FALSE(by_key("order_items", {eq("order_id", "2"), eq("order_id", "2")}));
    EXPECT_FALSE(by_key("products", {}));
    EXPECT_FALSE(by_key("products", {eq("id", "1"), eq("name", "x")}));
    EXPECT_FALSE(by_key("products", {negated(eq("id", "1"))}));
    EXPECT_FALSE(by_key("products", {is("id", Operator::gt, "1")}));
    EXPECT_FALSE(by_key("words", {eq("id", "1")}));  // has no key
}

TEST(PlanTables, are_those_behind_the_root_the_embeds_and_the_junctions) {
    const auto found = make(read({{embed("orders", {})}, {embed("categories", {})}}), v1()["products"]);
    ASSERT_TRUE(found);
    const std::vector<std::string> tables = {"public.categories", "public.order_items", "public.orders", "public.products"};
    EXPECT_EQ(plan::tables_behind(*found), tables);
    catalog::Catalog catalog;
    catalog.relations.assign(v1().relations.begin(), v1().relations.end());
    EXPECT_EQ(plan::tables_behind(*found, catalog), tables);
}

TEST(PlanTables, of_a_junction_that_is_a_view_are_those_behind_it) {
    const auto plan = make(read({{embed("orders", {})}}), v1()["products"]);
    ASSERT_TRUE(plan);
    catalog::Catalog catalog;
    catalog.relations = {table("order_items", {}, {})};
    catalog.relations[0].base_tables = {"hidden.items"};
    EXPECT_EQ(plan::tables_behind(*plan, catalog),
              (std::vector<std::string>{"hidden.items", "public.orders", "public.products"}));
    EXPECT_EQ(plan::relations_behind(*plan, catalog).size(), 3U);
}

TEST(PlanKeys, of_a_view_serve_its_writes_but_promise_no_single_row) {
    Shop shop;
    shop.relations.push_back(table("customers", {column("id", "integer"), column("name", "text")}, {}));
    shop.relations.back().kind = catalog::RelationKind::view;
    shop.relations.back().inferred_key = {"id"};
    const routes::Resource& people = shop.show("customers", "people");
    auto request = read();
    where(request, eq("id", "1"));
    EXPECT_FALSE(std::get<plan::Read>(*make(request, people)).by_full_key);
    request.action = Action::insert;
    request.preferences.resolution = request::Resolution::merge_duplicates;
    EXPECT_EQ(std::get<plan::Insert>(*make(request, people, payload("{}", {}))).conflict.at(0)->name, "id");
}

// Writes.

request::ApiRequest write(Action action, ReturnKind returning = ReturnKind::minimal) {
    request::ApiRequest out;
    out.action = action;
    out.preferences.returning = returning;
    return out;
}

const plan::Insert& insert_of(const Result<plan::Plan>& plan) { return std::get<plan::Insert>(*plan); }

TEST(PlanInsert, writes_the_columns_behind_the_keys_of_the_payload) {
    const auto plan = make(write(Action::insert), v2()["goods"], payload(R"({"title":"x","price":1})", {"title", "price"}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(insert_of(plan).keys, (std::vector<std::string>{"title", "price"}));
    EXPECT_EQ(insert_of(plan).columns.at(0)->name, "name");
    EXPECT_FALSE(insert_of(plan).returning);
    EXPECT_EQ(plan::tables_behind(*plan), (std::vector<std::string>{"public.products"}));
}

TEST(PlanInsert, refuses_keys_that_the_version_does_not_show) {
    for (const char* key : {"name", "attributes", "nonsense"}) {
        const auto plan = make(write(Action::insert), v2()["goods"], payload("{}", {key}));
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, "PGRST204");
        EXPECT_EQ(plan.error().message, "Could not find the '" + std::string(key) + "' column of 'goods' in the schema cache");
        EXPECT_EQ(plan.error().hint, std::nullopt);
    }
}

TEST(PlanInsert, columns_choose_what_is_written) {
    auto request = write(Action::insert);
    request.has_columns = true;
    request.columns = {"name", "price", "name"};
    const auto plan = make(request, v1()["products"], payload(R"({"name":"x","nonsense":1})", {"name", "nonsense"}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(insert_of(plan).keys, (std::vector<std::string>{"name", "price"}));
}

TEST(PlanInsert, of_several_unknown_keys_the_first_by_name_is_told) {
    const auto plan = make(write(Action::insert), v1()["customers"], payload("{}", {"zeta", "id", "alpha"}));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().message, "Could not find the 'alpha' column of 'customers' in the schema cache");
}

TEST(PlanInsert, defaults_are_missed_only_where_columns_are_named_and_have_some) {
    Shop shop;
    shop.relations.push_back(table("customers", {column("id", "integer"), column("name", "text")}, {"id"}));
    shop.relations.back().columns.front().default_expression = "nextval('s'::regclass)";
    const routes::Resource& customers = shop.show("customers", "customers");
    const auto missing = [&](bool preferred, std::vector<std::string> columns) {
        auto request = write(Action::insert);
        request.preferences.missing_default = preferred;
        request.has_columns = !columns.empty();
        request.columns = std::move(columns);
        return insert_of(make(request, customers, payload("{}", {"id"}))).missing_default;
    };
    EXPECT_TRUE(missing(true, {"id", "name"}));
    EXPECT_FALSE(missing(true, {"name"}));
    EXPECT_FALSE(missing(true, {}));
    EXPECT_FALSE(missing(false, {"id"}));
}

TEST(PlanInsert, embeds_must_be_right_though_nothing_is_returned) {
    auto request = write(Action::insert);
    request.select = {col("nonsense"), {embed("categories", {col("name")})}};
    EXPECT_TRUE(make(request, v1()["products"], payload("{}", {})));
    request.select = {{embed("customers", {col("name")})}};
    EXPECT_EQ(make(request, v1()["products"], payload("{}", {})).error().code, "PGRST200");
    request.select = {};
    where(request, eq("name", "x"), {"categories"});
    EXPECT_EQ(make(request, v1()["products"], payload("{}", {})).error().code, "PGRST108");
}

TEST(PlanInsert, without_a_resolution_on_conflict_says_nothing) {
    auto request = write(Action::insert);
    request.on_conflict = {"nonsense"};
    EXPECT_TRUE(insert_of(make(request, v1()["customers"], payload("{}", {}))).conflict.empty());
}

TEST(PlanInsert, returns_the_primary_key_when_only_headers_are_wanted) {
    const auto plan = make(write(Action::insert, ReturnKind::headers_only), v1()["order_items"], payload("{}", {}));
    ASSERT_TRUE(insert_of(plan).returning);
    EXPECT_EQ(insert_of(plan).returning->columns.size(), 2U);
    EXPECT_FALSE(insert_of(make(write(Action::insert, ReturnKind::headers_only), v1()["words"], payload("{}", {}))).returning);
}

TEST(PlanInsert, conflicts_are_those_of_the_primary_key_or_of_on_conflict) {
    auto request = write(Action::insert);
    request.preferences.resolution = request::Resolution::merge_duplicates;
    EXPECT_EQ(insert_of(make(request, v1()["customers"], payload("{}", {}))).conflict.at(0)->name, "id");
    request.on_conflict = {"email"};
    EXPECT_EQ(insert_of(make(request, v1()["customers"], payload("{}", {}))).conflict.at(0)->name, "email");
    request.on_conflict = {"nonsense"};
    const auto plan = make(request, v1()["customers"], payload("{}", {}));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, "42703");
    EXPECT_EQ(plan.error().message, "column \"nonsense\" does not exist");
}

TEST(PlanReplace, needs_eq_on_the_whole_key_and_no_window) {
    const auto code = [](std::vector<request::Condition> conditions, bool windowed, const char* key) {
        auto request = write(Action::replace);
        for (auto& condition : conditions) where(request, std::move(condition));
        if (windowed) window(request, 1);
        const auto plan = make(request, v1()["customers"], payload("{}", {key}));
        return plan ? std::string("ok") : plan.error().code;
    };
    EXPECT_EQ(code({eq("id", "1")}, false, "id"), "ok");
    EXPECT_EQ(code({eq("id", "1")}, true, "id"), "PGRST114");
    EXPECT_EQ(code({}, false, "id"), "PGRST105");
    EXPECT_EQ(code({eq("name", "1")}, false, "id"), "PGRST105");
    EXPECT_EQ(code({negated(eq("id", "1"))}, false, "id"), "PGRST105");
    EXPECT_EQ(code({is("id", Operator::gt, "1")}, false, "id"), "PGRST105");
    EXPECT_EQ(code({eq("id", "1"), eq("name", "x")}, false, "id"), "PGRST105");
    EXPECT_EQ(code({eq("id", "1")}, false, "name"), "PGRST115");
}

TEST(PlanUpdate, filters_of_the_root_choose_rows_and_those_of_embeds_what_is_returned) {
    auto request = write(Action::update, ReturnKind::representation);
    request.select = {col("id"), {embed("order_items", {col("quantity")})}};
    where(request, eq("id", "1"));
    where(request, is("quantity", Operator::gt, "1"), {"order_items"});
    const auto plan = make(request, v1()["products"], payload(R"({"name":"x"})", {"name"}));
    ASSERT_TRUE(plan);
    const auto& update = std::get<plan::Update>(*plan);
    EXPECT_EQ(update.filters.size(), 1U);
    EXPECT_TRUE(update.returning->filters.empty());
    EXPECT_EQ(update.returning->embeds.at(0).filters.size(), 1U);
}

TEST(PlanRemove, refuses_filters_on_unknown_columns) {
    auto request = write(Action::remove);
    where(request, eq("nonsense", "1"));
    const auto plan = make(request, v1()["products"]);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, "42703");
}

}  // namespace
}  // namespace millrace::shop
