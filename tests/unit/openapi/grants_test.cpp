// What is asked of Postgres, what its answer grants, and where the version is reached.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace millrace::openapi {
namespace {

std::vector<std::string> names_of(const Grants& grants) {
    std::vector<std::string> names;
    for (const GrantedResource& granted : grants.resources) names.push_back(granted.resource->name);
    return names;
}

TEST(Grants, are_asked_for_by_parameters_alone) {
    const auto api = renamed();
    const sql::Statement statement = ask_grants(*api, Mode::follow_privileges);
    ASSERT_EQ(statement.parameters.size(), 3U);
    EXPECT_EQ(statement.parameters[0], R"([["lib","books"],["lib","authors"]])");
    EXPECT_EQ(statement.parameters[1], "[]");
    EXPECT_EQ(statement.parameters[2], "lib");
    EXPECT_EQ(statement.text.find("books"), std::string::npos);
    EXPECT_EQ(ask_grants(*api, Mode::ignore_privileges).parameters[0], "[]");
}

TEST(Grants, show_what_any_privilege_is_for) {
    const auto api = plain();  // authors, books, report
    const Grants grants = read_grants(*api, Mode::follow_privileges, answer("CA@", "", "A library"));
    EXPECT_EQ(names_of(grants), (std::vector<std::string>{"authors", "books"}));
    EXPECT_TRUE(grants.resources[0].select);
    EXPECT_FALSE(grants.resources[0].insert);
    EXPECT_FALSE(grants.resources[1].select);
    EXPECT_EQ(grants.comment, "A library");
}

TEST(Grants, a_short_answer_grants_nothing_more) {
    const auto api = plain();
    EXPECT_EQ(names_of(read_grants(*api, Mode::follow_privileges, answer("C"))), std::vector<std::string>{"authors"});
    EXPECT_TRUE(names_of(read_grants(*api, Mode::follow_privileges, {})).empty());
}

TEST(Grants, ignored_privileges_show_everything) {
    const auto api = plain();
    const Grants grants = read_grants(*api, Mode::ignore_privileges, answer({}, {}));
    EXPECT_EQ(grants.resources.size(), 3U);
    EXPECT_TRUE(grants.resources[1].insert && grants.resources[1].del);
    EXPECT_FALSE(grants.comment);
}

TEST(Server, is_named_by_the_configuration_else_by_the_request) {
    struct Case {
        const char *url, *prefix, *scheme, *host, *base_path;
    };
    for (const Case& c :
         {Case{"", "/v1/", "http", "here:3000", "/v1"}, Case{"", "/", "http", "here:3000", "/"},
          Case{"https://api.example.com", "/v1", "https", "api.example.com:443", "/v1"},
          Case{"http://u:p@a.example/base/?q#f", "/v1", "http", "a.example:80", "/base/v1"},
          Case{"https://[::1]:8443/base", "/", "https", "[::1]:8443", "/base"},
          Case{"ftp://a.example", "", "http", "here:3000", "/"}, Case{"https://", "", "http", "here:3000", "/"}}) {
        const Server server = server_of(c.url, "here:3000", c.prefix);
        EXPECT_EQ(server.scheme, c.scheme) << c.url;
        EXPECT_EQ(server.host, c.host) << c.url;
        EXPECT_EQ(server.base_path, c.base_path) << c.url;
    }
    EXPECT_FALSE(valid_server_url("example.com"));
    EXPECT_TRUE(valid_server_url("https://example.com"));
}

}  // namespace
}  // namespace millrace::openapi
