// What `millrace diff` finds: a table of changes to a version, each with the line that it must be worth.
#include "millrace/core/versions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "calls.hpp"

namespace millrace::versions {
namespace {

using testing::Contains;
using testing::IsEmpty;
using Lines = std::vector<std::string>;
using Change = std::function<void(catalog::Catalog&)>;

std::shared_ptr<const routes::ApiCatalog> over(const Change& change, const std::string& table) {
    auto catalog = std::make_shared<catalog::Catalog>(*calls::shop());
    for (catalog::Column& column : catalog->relations[0].columns) column.has_default = column.name == "id";
    change(*catalog);
    complete(*catalog);
    const auto parsed = routes::parse_route_table(table, "v.json");
    if (!parsed.problems.empty()) throw std::runtime_error(config::to_line(parsed.problems.front()));
    const auto lens = routes::build_lens(parsed.table, catalog, {});
    if (!lens.api) throw std::runtime_error(config::to_line(lens.problems.front()));
    return lens.api;
}

Lines lines(const routes::ApiCatalog& older, const routes::ApiCatalog& newer) {
    Lines out;
    for (const Finding& each : compare(older, newer)) out.push_back(to_line(each));
    return out;
}

const std::string whole = R"({"version": "v1", "schema": "shop", "expose": "schema"})";

Lines of_catalogs(const Change& change) {
    return lines(*over([](auto&) {}, whole), *over(change, whole));
}

std::string products(const std::string& fields) {
    return R"({"version": "v1", "schema": "shop", "resources": {"products": {"relation": "products")" + fields + "}}}";
}

Lines of_rules(const std::string& older, const std::string& newer) {
    return lines(*over([](auto&) {}, products(older)), *over([](auto&) {}, products(newer)));
}

catalog::Column& column(catalog::Catalog& catalog, std::string_view name) {
    return *std::ranges::find(catalog.relations[0].columns, name, &catalog::Column::name);
}

catalog::Function& function(catalog::Catalog& catalog, std::string_view name) {
    return *std::ranges::find(catalog.functions, name, &catalog::Function::name);
}

TEST(Diff, of_a_version_and_itself_is_empty) {
    EXPECT_THAT(of_catalogs([](auto&) {}), IsEmpty());
    EXPECT_THAT(of_rules(R"(, "hide": ["name"], "page_size_max": 10)", R"(, "hide": ["name"], "page_size_max": 10)"),
                IsEmpty());
}

TEST(Diff, of_catalogs_finds_what_breaks) {
    struct Row {
        Change change;
        std::string line;
    };
    const std::vector<Row> rows = {
        {[](auto& c) { std::erase_if(c.relations, [](auto& r) { return r.name == "categories"; }), c.foreign_keys.clear(); },
         "breaks  categories: the resource is gone"},
        {[](auto& c) { c.relations[0].columns.erase(c.relations[0].columns.begin() + 1); },
         "breaks  products.name: the column is gone"},
        {[](auto& c) { column(c, "name").type = "integer"; }, "breaks  products.name: the type is integer, was text"},
        {[](auto& c) { column(c, "name").nullable = false; }, "breaks  products.name: inserts must name it now"},
        {[](auto& c) { column(c, "name").nullable = false, column(c, "name").has_default = true; },
         "breaks  products.name: null is refused now"},
        {[](auto& c) { column(c, "name").generated = true; }, "breaks  products.name: it cannot be written any more"},
        {[](auto& c) {
             c.relations[0].columns.push_back(calls::words("code"));
             c.relations[0].columns.back().nullable = false;
         },
         "breaks  products.code: a new column that inserts must name"},
        {[](auto& c) { c.relations[0].primary_key = {"name"}; }, "breaks  products: PUT and upserts go by another key"},
        {[](auto& c) { c.relations[0].deletable = false; }, "breaks  products: methods are gone: DELETE"},
        {[](auto& c) { c.foreign_keys.clear(); }, "breaks  products: categories can no longer be embedded"},
        {[](auto& c) {
             c.foreign_keys.push_back({"second", "shop.products", "shop.categories", {{"id", "id"}}});
         },
         "breaks  products: embedding categories needs a relationship's name now"},
        {[](auto& c) { std::erase_if(c.functions, [](auto& f) { return f.name == "area"; }); },
         "breaks  rpc/area: the function is gone"},
        {[](auto& c) { function(c, "restock").parameters[0].type = "text"; },
         "breaks  rpc/restock: count is text, was integer"},
        {[](auto& c) { function(c, "restock").parameters[0].name = "n"; }, "breaks  rpc/restock: count is gone"},
        {[](auto& c) { function(c, "restock").parameters.push_back(calls::parameter("by", "text")); },
         "breaks  rpc/restock: by is new and must be given"},
        {[](auto& c) { function(c, "cheap_products").parameters[0].has_default = false; },
         "breaks  rpc/cheap_products: below must be given now"},
        {[](auto& c) { function(c, "numbers").return_type = "text"; },
         "breaks  rpc/numbers: the result is a set of text, was a set of integer"},
        {[](auto& c) { function(c, "prices").result_columns.pop_back(); },
         "breaks  rpc/prices.price: the column is gone from its rows"},
        {[](auto& c) { function(c, "numbers").volatility = catalog::Volatility::is_volatile; },
         "breaks  rpc/numbers: methods are gone: GET, HEAD"},
    };
    for (const Row& row : rows)
        EXPECT_THAT(of_catalogs(row.change), Contains(row.line)) << testing::PrintToString(of_catalogs(row.change));
}

TEST(Diff, of_catalogs_lets_pass_what_only_adds) {
    const std::vector<Change> changes = {
        [](auto& c) { c.relations.push_back(calls::relation("brands", {calls::integer("id")})); },
        [](auto& c) { c.relations[0].columns.push_back(calls::words("code")); },
        [](auto& c) { c.functions.push_back(calls::function("more", {})); },
        [](auto& c) { function(c, "restock").parameters.push_back(calls::parameter("by", "text", true)); },
        [](auto& c) { c.functions.push_back(calls::function("corner", {calls::parameter("z", "integer")})); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Lines found = of_catalogs(changes[i]);
        EXPECT_FALSE(found.empty()) << i;
        for (const std::string& line : found) EXPECT_TRUE(line.starts_with("adds ")) << line;
    }
}

TEST(Diff, of_enums_and_lengths_goes_by_what_is_accepted) {
    const auto with = [](std::vector<std::string> values, int length) {
        return over(
            [&](auto& c) {
                column(c, "name").enum_values = values, column(c, "name").length_max = length,
                          column(c, "name").type = "character varying(" + std::to_string(length) + ")";
            },
            whole);
    };
    EXPECT_THAT(lines(*with({"a", "b"}, 9), *with({"a"}, 9)), Contains("breaks  products.name: values are gone: b"));
    EXPECT_THAT(lines(*with({"a"}, 9), *with({"a", "b"}, 9)), Contains("adds    products.name: new values: b"));
    EXPECT_THAT(lines(*with({}, 9), *with({}, 10)), Contains("adds    products.name: takes 10 characters, was 9"));
    EXPECT_THAT(lines(*with({}, 9), *with({}, 8)),
                Contains("breaks  products.name: the type is character varying(8), was character varying(9)"));
}

TEST(Diff, of_rules_finds_what_refuses_more) {
    struct Row {
        std::string older, newer, line;
    };
    const std::vector<Row> rows = {
        {"", R"(, "rename": {"title": "name"})", "breaks  products.name: the column is gone"},
        {"", R"(, "hide": ["category_id"])", "breaks  products.category_id: the column is gone"},
        {"", R"(, "methods": ["GET"])", "breaks  products: methods are gone: POST, PUT, PATCH, DELETE"},
        {R"(, "page_size_max": 100)", R"(, "page_size_max": 10)", "breaks  products: page_size_max is 10, was 100"},
        {"", R"(, "page_size_max": 10)", "breaks  products: page_size_max is 10, was none"},
        {R"(, "body_bytes_max": 100)", R"(, "body_bytes_max": 10)", "breaks  products: body_bytes_max is 10, was 100"},
        {"", R"(, "auth": "required")", "breaks  products: open to identified callers only, was what auth.anonymous says"},
        {R"(, "auth": ["a"])", R"(, "auth": ["a", "b"])", "breaks  products: needs scopes: b"},
    };
    for (const Row& row : rows)
        EXPECT_THAT(of_rules(row.older, row.newer), Contains(row.line))
            << testing::PrintToString(of_rules(row.older, row.newer));
    for (const Row& row : rows) {
        const auto back = compare(*over([](auto&) {}, products(row.newer)), *over([](auto&) {}, products(row.older)));
        for (const Finding& each : back) EXPECT_TRUE(!each.breaks || each.what.ends_with("is gone")) << to_line(each);
    }
}

// Two versions of one service, which only their policies tell apart.
Lines of_policies(const std::function<void(routes::Policies&)>& change) {
    routes::RouteTable table;
    table.version = "v1";
    table.upstreams["pay"].upstream.urls = {"http://127.0.0.1:1"};
    routes::Policies& own = table.upstreams["pay"].policies;
    own.filters_max = own.embeds_max = own.select_depth_max = own.timeout_ms = own.cost_max = own.answer_bytes_max = 10;
    own.limits = std::vector<std::string>();
    own.cors_origins = {"https://a.example", "https://b.example"};
    own.filter_operators = {"eq", "like"};
    routes::RouteTable changed = table;
    change(changed.upstreams["pay"].policies);
    const auto older = routes::build_lens(table, calls::shop(), {}), newer = routes::build_lens(changed, calls::shop(), {});
    if (!older.api || !newer.api) throw std::runtime_error("no lens");
    return lines(*older.api, *newer.api);
}

TEST(Diff, of_policies_finds_each_that_is_stricter) {
    using P = routes::Policies;
    EXPECT_THAT(of_policies([](P&) {}), IsEmpty());
    EXPECT_THAT(of_policies([](P& p) { p.filters_max = 9; }), Contains("breaks  pay: filters_max is 9, was 10"));
    EXPECT_THAT(of_policies([](P& p) { p.embeds_max = 0; }), Contains("breaks  pay: embeds_max is 0, was 10"));
    EXPECT_THAT(of_policies([](P& p) { p.cost_max = 0; }), Contains("adds    pay: cost_max is none, was 10"));
    EXPECT_THAT(of_policies([](P& p) { p.limits = {"tight"}; }), Contains("breaks  pay: counts against more limits: tight"));
    EXPECT_THAT(of_policies([](P& p) { p.cost = 2; }), Contains("breaks  pay: cost is 2, was 1"));
    EXPECT_THAT(of_policies([](P& p) { p.idempotency = routes::Idempotency::required; }),
                Contains("breaks  pay: writes need an Idempotency-Key"));
    EXPECT_THAT(of_policies([](P& p) { p.filter_operators = {"eq"}; }),
                Contains("breaks  pay: no more filters by these operators: like"));
    EXPECT_THAT(of_policies([](P& p) { p.filter_columns = {"id"}; }),
                Contains("breaks  pay: filters are limited to these columns: id"));
    EXPECT_THAT(of_policies([](P& p) { p.cors_origins = {"https://a.example"}; }),
                Contains("breaks  pay: pages of these origins may not read it now: https://b.example"));
}

}  // namespace
}  // namespace millrace::versions
