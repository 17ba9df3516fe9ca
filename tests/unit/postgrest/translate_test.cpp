#include <gmock/gmock.h>

#include "millrace/core/postgrest.hpp"

namespace millrace::postgrest {
namespace {

using testing::ElementsAre, testing::HasSubstr;

Translated translated(const Values& values) {
    return translate(values, [](const std::string& path) -> std::optional<std::string> {
        if (path == "/run/secret") return "from the file\n";
        return std::nullopt;
    });
}

TEST(PostgrestSettings, nothing_said_is_what_postgrest_does) {
    const Translated out = translated({});
    EXPECT_TRUE(out.problems.empty() && out.warnings.empty());
    EXPECT_EQ(out.settings.database.url, "postgresql://");
    EXPECT_EQ(out.settings.listen.address, "0.0.0.0");
    EXPECT_EQ(out.settings.listen.port, 3000);
    EXPECT_FALSE(out.settings.auth.anonymous) << "without db-anon-role nobody is served without a token";
    EXPECT_THAT(out.settings.api.extra_search_path, ElementsAre("public"));
    EXPECT_EQ(out.settings.api.transaction_end, "commit");
    EXPECT_TRUE(out.reads_database_settings);
    ASSERT_EQ(out.tables.size(), 1U);
    EXPECT_EQ(out.tables[0].schema, "public");
    EXPECT_EQ(out.tables[0].version, "v1");
    EXPECT_TRUE(out.tables[0].at_root && out.tables[0].expose_schema);
}

TEST(PostgrestSettings, each_has_its_place) {
    const Translated out = translated({{"db-schemas", "api, other"},
                                       {"db-anon-role", "web"},
                                       {"db-extra-search-path", ""},
                                       {"db-max-rows", "1000"},
                                       {"db-tx-end", "rollback-allow-override"},
                                       {"db-pre-request", "api.check"},
                                       {"db-aggregates-enabled", "True"},
                                       {"jwt-secret", "@/run/secret"},
                                       {"jwt-secret-is-base64", "1"},
                                       {"server-port", "8000"},
                                       {"server-cors-allowed-origins", "http://a, http://b"},
                                       {"app.settings.key", "a=b"}});
    EXPECT_TRUE(out.problems.empty() && out.warnings.empty());
    ASSERT_EQ(out.tables.size(), 2U);
    EXPECT_EQ(out.tables[1].schema, "other");
    EXPECT_TRUE(out.settings.auth.anonymous);
    EXPECT_EQ(out.settings.database.anonymous_role, "web");
    EXPECT_TRUE(out.settings.api.extra_search_path.empty());
    EXPECT_EQ(out.settings.database.rows_max, 1000U);
    EXPECT_EQ(out.settings.api.transaction_end, "rollback-allow-override");
    EXPECT_EQ(out.settings.api.pre_request, "api.check");
    EXPECT_TRUE(out.settings.api.aggregates);
    EXPECT_EQ(out.settings.auth.jwt_secret, "from the file");
    EXPECT_TRUE(out.settings.auth.jwt_secret_is_base64);
    EXPECT_EQ(out.settings.listen.port, 8000);
    EXPECT_THAT(out.settings.api.cors_origins, ElementsAre("http://a", "http://b"));
    EXPECT_THAT(out.settings.api.app_settings, ElementsAre("app.settings.key=a=b"));
}

TEST(PostgrestSettings, what_has_no_meaning_is_named_in_one_line_each) {
    const Translated out = translated(
        {{"db-channel", "pgrst"}, {"db-prepared-statements", "true"}, {"server-unix-socket", "/tmp/s"}, {"db-shcemas", "api"}});
    EXPECT_TRUE(out.problems.empty());
    EXPECT_THAT(out.warnings,
                ElementsAre(HasSubstr("db-channel "), HasSubstr("server-unix-socket "), HasSubstr("db-shcemas ")));
}

TEST(PostgrestSettings, what_is_wrong_is_a_problem) {
    const Translated out = translated({{"db-max-rows", "many"},
                                       {"db-tx-end", "maybe"},
                                       {"db-schemas", "pg_catalog"},
                                       {"jwt-secret", "@/nowhere"},
                                       {"server-timing-enabled", "perhaps"}});
    std::vector<std::string> wrong;
    for (const config::Problem& problem : out.problems) wrong.push_back(problem.path);
    EXPECT_THAT(wrong,
                testing::UnorderedElementsAre("db-max-rows", "db-tx-end", "db-schemas", "jwt-secret", "server-timing-enabled"));
}

}  // namespace
}  // namespace millrace::postgrest
