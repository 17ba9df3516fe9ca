// Paths, and the header fields of versions on their way out.
#include <gtest/gtest.h>

#include <chrono>
#include <millrace/core/routes.hpp>

namespace millrace::routes {
namespace {

using namespace std::chrono;

constexpr WallTime now = sys_days(year(2026) / 6 / 1);

std::shared_ptr<const ApiCatalog> version(const char* file, const char* text) {
    auto catalog = std::make_shared<catalog::Catalog>();
    for (const char* name : {"products", "secret_products", "größe / 2", "orders", "closed_orders"}) {
        catalog::Relation relation;
        relation.schema = "public";
        relation.name = name;
        relation.anonymous.select = std::string_view(name) != "closed_orders";
        catalog->relations.push_back(std::move(relation));
    }
    complete(*catalog);
    const ParsedTable parsed = parse_route_table(text, file);
    EXPECT_TRUE(parsed.problems.empty());
    return build_lens(parsed.table, catalog, {}).api;
}

const Versions& versions() {
    static const Versions all{version("v1.json", R"({"expose": "schema", "hide": ["secret_products"]})"),
                              version("v2.json", R"({"expose": "schema"})"),
                              version("v0.json", R"({"expose": "schema", "deprecated": "2020-01-01", "sunset": "2026-06-01",
                                                     "successor": "v1"})")};
    return all;
}

}  // namespace

TEST(Match, paths_lead_to_resources_and_roots) {
    struct Case {
        const char *path, *version, *resource;
    };
    const Case cases[] = {{"/v1/products", "v1", "products"},
                          {"/v2/orders", "v2", "orders"},
                          {"/v2/secret_products", "v2", "secret_products"},
                          {"/v1/pro%64ucts", "v1", "products"},
                          {"/v1/gr%C3%B6%C3%9Fe%20%2F%202", "v1", "größe / 2"},
                          {"/v1", "v1", nullptr},
                          {"/v1/", "v1", nullptr}};
    for (const Case& c : cases) {
        const auto matched = match(versions(), c.path, {}, now);
        ASSERT_TRUE(matched) << c.path;
        EXPECT_EQ(matched->api->version(), c.version);
        if (c.resource == nullptr) {
            EXPECT_EQ(matched->resource, nullptr);
        } else {
            ASSERT_NE(matched->resource, nullptr) << c.path;
            EXPECT_EQ(matched->resource->name, c.resource);
        }
    }
}

TEST(Match, other_paths_are_refused) {
    struct Case {
        const char *path, *code;
        int status;
    };
    const Case cases[] = {{"/", "MR030", 404},
                          {"", "MR030", 404},
                          {"*", "MR030", 404},
                          {"/v9/products", "MR030", 404},
                          {"/V1/products", "MR030", 404},
                          {"//v1/products", "MR030", 404},
                          {"/v1/nothing", "PGRST205", 404},
                          {"/v1/products/5", "PGRST125", 404},
                          {"/v1/products/", "PGRST125", 404},
                          {"/v1//", "PGRST125", 404},
                          {"/v1/%zz", "PGRST100", 400},
                          {"/v1/a%", "PGRST100", 400},
                          {"/v1/%ff", "PGRST100", 400},
                          {"/v1/\xff", "PGRST100", 400}};
    for (const Case& c : cases) {
        const auto matched = match(versions(), c.path, {}, now);
        ASSERT_FALSE(matched) << c.path;
        EXPECT_EQ(matched.error().code, c.code) << c.path;
        EXPECT_EQ(matched.error().status, c.status) << c.path;
    }
}

TEST(Match, suggests_only_what_the_version_shows) {
    const auto near = match(versions(), "/v1/prodcts", {}, now);
    ASSERT_FALSE(near);
    EXPECT_EQ(near.error().message, "Could not find the table 'public.prodcts' in the schema cache");
    EXPECT_EQ(near.error().hint, "Perhaps you meant the table 'public.products'");
    const auto hidden = match(versions(), "/v1/secret_products", {}, now);
    ASSERT_FALSE(hidden);
    EXPECT_EQ(hidden.error().code, "PGRST205");
    EXPECT_EQ(hidden.error().hint.value_or("").find("secret"), std::string::npos);
    const auto closed = match(versions(), "/v1/closed_order", {}, now);
    ASSERT_FALSE(closed);
    EXPECT_FALSE(closed.error().hint) << "not everybody may use closed_orders";
    const auto endless = match(versions(), "/v1/" + std::string(5000, 'p'), {}, now);
    ASSERT_FALSE(endless);
    EXPECT_FALSE(endless.error().hint);
}

TEST(Match, a_version_is_gone_from_its_sunset_on) {
    EXPECT_TRUE(match(versions(), "/v0/products", {}, now - seconds(1)));
    const auto gone = match(versions(), "/v0/products", {}, now);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().status, 410);
    EXPECT_EQ(gone.error().fault, Fault::version_is_gone);
    bool links = false;
    for (const auto& [name, value] : gone.error().headers)
        links |= name == "Link" && value == "</v1>; rel=\"successor-version\"";
    EXPECT_TRUE(links);
}

TEST(VersionHeaders, say_when_and_what_next) {
    RouteTable table;
    message::HeaderBlock none;
    add_version_headers(table, none);
    EXPECT_EQ(none.lines(), "");
    table.deprecated = WallTime(seconds(1688169599));
    table.sunset = WallTime(seconds(1767225600));
    table.successor = "v2";
    table.docs_url = "https://docs.example/v2";
    message::HeaderBlock headers;
    add_version_headers(table, headers);
    EXPECT_EQ(headers.lines(),
              "Deprecation: @1688169599\r\n"
              "Sunset: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
              "Link: </v2>; rel=\"successor-version\"\r\n"
              "Link: <https://docs.example/v2>; rel=\"deprecation\"\r\n");
}

}  // namespace millrace::routes
