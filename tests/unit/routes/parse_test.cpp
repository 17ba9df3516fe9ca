// Route tables as written: what is read, and how each mistake is named.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <millrace/core/routes.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace millrace::routes {
namespace {

using namespace std::chrono;
using message::Method;

WallTime day(int y, unsigned m, unsigned d) { return sys_days(year_month_day(year(y), month(m), std::chrono::day(d))); }

std::string read_file(const std::string& path) {
    std::ifstream in(std::string(MILLRACE_SOURCE_DIR) + "/" + path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace

TEST(RouteTable, every_key_is_read) {
    const auto [table, problems] = parse_route_table(R"({
        // comments are allowed
        "$schema": "../routes.schema.json", "version": "v2", "schema": "shop", "expose": "schema", "hide": ["secret"],
        "deprecated": "2026-11-01", "sunset": "2030-01-01T12:00:00+02:00", "successor": "v3", "docs_url": "https://d.example/x",
        "resources": {
            "items": {"relation": "products", "rename": {"title": "name"}, "hide": ["cost"], "only": ["id", "name"],
                      "cache": {"max_age_s": 7}, "class": "slow", "methods": ["GET", "DELETE"], "body_bytes_max": 99},
            "orders": {}
        },
        "defaults": {"cache": {"ttl_s": 5, "shared": true}, "page_size_max": 100}
    })",
                                                     "config/routes/other.json");
    ASSERT_TRUE(problems.empty()) << problems[0].message;
    EXPECT_EQ(table.version, "v2");
    EXPECT_EQ(table.schema, "shop");
    EXPECT_TRUE(table.expose_schema);
    EXPECT_EQ(table.hide, std::set<std::string>{"secret"});
    EXPECT_EQ(table.deprecated, day(2026, 11, 1));
    EXPECT_EQ(table.sunset, day(2030, 1, 1) + hours(10));
    EXPECT_EQ(table.successor, "v3");
    EXPECT_EQ(table.docs_url, "https://d.example/x");
    EXPECT_EQ(table.defaults.page_size_max, 100U);
    const ResourceRule& items = table.resources.at("items");
    EXPECT_EQ(items.relation, "products");
    EXPECT_EQ(items.rename.at("title"), "name");
    EXPECT_EQ(items.only, (std::vector<std::string>{"id", "name"}));
    EXPECT_EQ(items.policies.cache->ttl_s, 5U) << "what a rule leaves out it has from the defaults";
    EXPECT_EQ(items.policies.cache->max_age_s, 7U);
    EXPECT_TRUE(items.policies.cache->shared);
    EXPECT_EQ(items.policies.route_class, RouteClass::slow);
    EXPECT_EQ(items.policies.methods, (std::vector<Method>{Method::get, Method::del}));
    EXPECT_EQ(items.policies.body_bytes_max, 99U);
    EXPECT_EQ(table.resources.at("orders").relation, "orders");
}

TEST(RouteTable, the_version_is_the_files_name_unless_it_is_given) {
    EXPECT_EQ(parse_route_table("{}", "config/routes/v7.json").table.version, "v7");
    EXPECT_EQ(parse_route_table("{}", "").problems.at(0).path, "/version");
}

TEST(RouteTable, each_mistake_is_one_problem_with_its_place) {
    struct Case {
        const char *text, *path, *suggestion;
    };
    const Case cases[] = {
        {R"({"verson": "v1"})", "/verson", "version"},
        {R"({"version": 1})", "/version", ""},
        {R"({"version": "a/b"})", "/version", ""},
        {R"({"version": ".."})", "/version", ""},
        {R"({"expose": "shema"})", "/expose", "schema"},
        {R"({"hide": "x"})", "/hide", ""},
        {R"({"hide": ["x", 1]})", "/hide/1", ""},
        {R"({"hide": ["x", "x"]})", "/hide/1", ""},
        {R"({"deprecated": "2026-13-01"})", "/deprecated", ""},
        {R"({"deprecated": "2026-02-30"})", "/deprecated", ""},
        {R"({"sunset": "soon"})", "/sunset", ""},
        {R"({"sunset": "2026-01-01T00:00:00"})", "/sunset", ""},
        {R"({"sunset": "2026-01-01T24:00:00Z"})", "/sunset", ""},
        {R"({"sunset": "2026-01-01Z"})", "/sunset", ""},
        {R"({"deprecated": "2027-01-01", "sunset": "2026-01-01"})", "/sunset", ""},
        {R"({"docs_url": "javascript:x"})", "/docs_url", ""},
        {R"({"docs_url": "https://x>\r\ny"})", "/docs_url", ""},
        {R"({"defaults": {"cach": {}}})", "/defaults/cach", "cache"},
        {R"({"defaults": {"cache": {"ttls": 5}}})", "/defaults/cache/ttls", "ttl_s"},
        {R"({"defaults": {"cache": {"ttl_s": -5}}})", "/defaults/cache/ttl_s", ""},
        {R"({"defaults": {"cache": {"ttl_s": 1.5}}})", "/defaults/cache/ttl_s", ""},
        {R"({"defaults": {"page_size_max": "many"}})", "/defaults/page_size_max", ""},
        {R"({"resources": []})", "/resources", ""},
        {R"({"resources": {"a/b": {"hid": []}}})", "/resources/a~1b/hid", "hide"},
        {R"({"resources": {"x": {"method": ["GET"]}}})", "/resources/x/method", "methods"},
        {R"({"resources": {"x": {"methods": ["GETT"]}}})", "/resources/x/methods/0", "GET"},
        {R"({"resources": {"x": {"class": "quick"}}})", "/resources/x/class", ""},
        {R"({"resources": {"x": {"rename": {"a": 5}}}})", "/resources/x/rename/a", ""},
        {R"({"resources": {"": {}}})", "/resources/", ""},
        {R"([])", "/", ""},
        {R"({ not json)", "/", ""},
        {"", "/", ""},
        {"\xff\xfe{", "/", ""},
    };
    for (const Case& c : cases) {
        const auto parsed = parse_route_table(c.text, "v1.json");
        ASSERT_EQ(parsed.problems.size(), 1U) << c.text;
        EXPECT_EQ(parsed.problems[0].file, "v1.json");
        EXPECT_EQ(parsed.problems[0].path, c.path) << c.text;
        EXPECT_EQ(parsed.problems[0].suggestion, c.suggestion) << c.text;
    }
}

TEST(RouteTable, the_schema_for_editors_is_the_committed_one) {
    EXPECT_EQ(json_schema(), read_file("config/routes.schema.json"));
    const auto schema = nlohmann::json::parse(json_schema());
    EXPECT_TRUE(schema["properties"].contains("resources"));
    EXPECT_TRUE(schema["$defs"]["resource"]["properties"].contains("methods"));
    EXPECT_FALSE(schema["additionalProperties"].get<bool>());
}

}  // namespace millrace::routes
