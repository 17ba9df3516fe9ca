// Routes that are HTTP services: how they are written, what the lens makes of them, which paths lead to them.
#include <gtest/gtest.h>

#include <millrace/core/routes.hpp>

namespace millrace::routes {
namespace {

std::shared_ptr<const catalog::Catalog> shop() {
    auto catalog = std::make_shared<catalog::Catalog>();
    for (const char* name : {"products", "orders"}) {
        catalog::Relation relation;
        relation.schema = "public";
        relation.name = name;
        catalog->relations.push_back(std::move(relation));
    }
    complete(*catalog);
    return catalog;
}

std::shared_ptr<const ApiCatalog> version(const char* text) {
    const ParsedTable parsed = parse_route_table(text, "v1.json");
    EXPECT_TRUE(parsed.problems.empty()) << parsed.problems.at(0).message;
    return build_lens(parsed.table, shop(), {}).api;
}

constexpr const char* moved =
    R"({"expose": "schema", "resources": {"orders": {"upstream": {"urls": ["http://a", "http://b:81/x"]}, "methods": ["GET"]}}})";

}  // namespace

TEST(UpstreamRoute, every_key_is_read) {
    const auto [table, problems] = parse_route_table(R"({"resources": {"orders": {
        "upstream": {"urls": ["http://a:8080/base", "https://[::1]"], "ca_file": "ca.pem", "path": "/api", "health_path": "/healthz",
                     "health_every_ms": 5, "connect_timeout_ms": 6, "timeout_ms": 7, "connections_max": 8, "retries_max": 0,
                     "forward_authorization": true, "set_headers": {"X-A": "b"}, "remove_headers": ["Server-Info"]},
        "cache": {"ttl_s": 9}, "body_bytes_max": 10}}})",
                                                     "v1.json");
    ASSERT_TRUE(problems.empty()) << problems[0].message;
    const UpstreamRule& rule = table.upstreams.at("orders");
    const UpstreamPolicy& policy = rule.upstream;
    EXPECT_EQ(policy.urls, (std::vector<std::string>{"http://a:8080/base", "https://[::1]"}));
    EXPECT_EQ(policy.ca_file, "ca.pem");
    EXPECT_EQ(policy.path, "/api");
    EXPECT_EQ(policy.health_path, "/healthz");
    EXPECT_EQ(policy.health_every_ms, 5U);
    EXPECT_EQ(policy.connect_timeout_ms, 6U);
    EXPECT_EQ(policy.timeout_ms, 7U);
    EXPECT_EQ(policy.connections_max, 8U);
    EXPECT_EQ(policy.retries_max, 0U);
    EXPECT_TRUE(policy.forward_authorization);
    EXPECT_EQ(policy.set_headers.at("X-A"), "b");
    EXPECT_EQ(policy.remove_headers, std::vector<std::string>{"Server-Info"});
    EXPECT_EQ(rule.policies.cache->ttl_s, 9U);
    EXPECT_EQ(rule.policies.body_bytes_max, 10U);
    EXPECT_TRUE(table.resources.empty());
}

TEST(UpstreamRoute, each_mistake_has_its_place) {
    struct Case {
        const char *upstream, *path;
    };
    const Case cases[] = {{R"({})", "/urls"},
                          {R"({"urls": []})", "/urls"},
                          {R"({"urls": ["ftp://a"]})", "/urls/0"},
                          {R"({"urls": ["http://a:99999"]})", "/urls/0"},
                          {R"({"urls": ["https://a:"]})", "/urls/0"},
                          {R"({"urls": ["https://a"], "ca_file": ""})", "/ca_file"},
                          {R"({"urls": ["https://a"], "ca_file": 1})", "/ca_file"},
                          {R"({"urls": ["http://a"], "ca_file": "ca.pem"})", "/ca_file"},
                          {R"({"urls": ["http://a", "a:80"]})", "/urls/1"},
                          {R"({"urls": ["http://user@a"]})", "/urls/0"},
                          {R"({"urls": ["http://a?b"]})", "/urls/0"},
                          {R"({"urls": ["http://a"], "path": "x"})", "/path"},
                          {R"({"urls": ["http://a"], "health_path": "/a b"})", "/health_path"},
                          {R"({"urls": ["http://a"], "timeout_ms": 0})", "/timeout_ms"},
                          {R"({"urls": ["http://a"], "set_headers": {"a b": "c"}})", "/set_headers/a b"},
                          {R"({"urls": ["http://a"], "set_headers": {"a": "b\r\nc: d"}})", "/set_headers/a"},
                          {R"({"urls": ["http://a"], "remove_headers": [":"]})", "/remove_headers/0"},
                          {R"({"urls": ["http://a"], "timout_ms": 1})", "/timout_ms"}};
    for (const Case& c : cases) {
        const std::string text = R"({"resources": {"orders": {"upstream": )" + std::string(c.upstream) + "}}}";
        const auto problems = parse_route_table(text, "v1.json").problems;
        ASSERT_EQ(problems.size(), 1U) << c.upstream;
        EXPECT_EQ(problems[0].path, "/resources/orders/upstream" + std::string(c.path)) << c.upstream;
    }
}

TEST(UpstreamRoute, takes_the_place_of_the_relation_of_its_name) {
    const auto api = version(moved);
    ASSERT_TRUE(api);
    EXPECT_EQ(api->find("orders"), nullptr);
    EXPECT_NE(api->find("products"), nullptr);
    const Upstream* service = api->find_upstream("orders");
    ASSERT_NE(service, nullptr);
    EXPECT_EQ(service->upstream.urls.size(), 2U);
    EXPECT_TRUE(service->allows(message::Method::get));
    EXPECT_TRUE(service->allows(message::Method::head));
    EXPECT_FALSE(service->allows(message::Method::post));
    EXPECT_EQ(service->allow(), "OPTIONS,GET,HEAD");
}

TEST(UpstreamRoute, answers_for_its_name_and_all_below_it) {
    const Versions versions{version(moved)};
    struct Case {
        const char *path, *below;
    };
    for (const Case& c : {Case{"/v1/orders", ""}, Case{"/v1/orders/", "/"}, Case{"/v1/orders/7/lines", "/7/lines"},
                          Case{"/v1/or%64ers/a%2Fb", "/a%2Fb"}}) {
        const auto matched = match(versions, c.path, {}, {});
        ASSERT_TRUE(matched) << c.path;
        ASSERT_NE(matched->upstream, nullptr) << c.path;
        EXPECT_EQ(matched->upstream->name, "orders");
        EXPECT_EQ(matched->below, c.below);
        EXPECT_EQ(matched->resource, nullptr);
    }
    const auto table = match(versions, "/v1/products", {}, {});
    ASSERT_TRUE(table);
    EXPECT_EQ(table->upstream, nullptr);
    EXPECT_FALSE(match(versions, "/v1/products/7", {}, {}));
    EXPECT_FALSE(match(versions, "/v1/ordersx", {}, {}));
    const auto root = match(versions, "/v1/", {}, {});
    ASSERT_TRUE(root);
    EXPECT_EQ(root->upstream, nullptr);
}

}  // namespace millrace::routes
