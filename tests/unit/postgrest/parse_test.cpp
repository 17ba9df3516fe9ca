#include <gtest/gtest.h>

#include "millrace/core/postgrest.hpp"

namespace millrace::postgrest {
namespace {

TEST(PostgrestFile, has_a_setting_a_line_with_quotes_and_comments) {
    const Parsed parsed = parse_file(
        "# a comment\n"
        "db-uri = \"postgresql://a@b/c?x=\\\"1\\\"#2\"  # why\n"
        "db-schemas=api, extra\r\n"
        "db-pool = 20 # connections\n"
        "\n"
        "app.settings.key = \"v = w\"\n",
        "p.conf");
    EXPECT_TRUE(parsed.problems.empty());
    EXPECT_EQ(parsed.values, (Values{{"db-uri", "postgresql://a@b/c?x=\"1\"#2"},
                                     {"db-schemas", "api, extra"},
                                     {"db-pool", "20"},
                                     {"app.settings.key", "v = w"}}));
}

TEST(PostgrestFile, what_is_no_setting_is_named_by_its_line) {
    const Parsed parsed = parse_file("db-uri\n\n= x\nlog-level = \"info\ndb-pool = \"1\" 2\n", "p.conf");
    ASSERT_EQ(parsed.problems.size(), 4U);
    EXPECT_EQ(parsed.problems[0].file, "p.conf");
    EXPECT_EQ(parsed.problems[0].path, "line 1");
    EXPECT_EQ(parsed.problems[1].path, "line 3");
    EXPECT_EQ(parsed.problems[2].path, "line 4");
    EXPECT_EQ(parsed.problems[3].path, "line 5");
    EXPECT_TRUE(parsed.values.empty());
}

TEST(PostgrestEnvironment, variables_are_settings) {
    const Values values = from_environment(
        {{"PGRST_DB_ANON_ROLE", "web"}, {"PGRST_APP_SETTINGS_Some_Key", "1"}, {"PGUSER", "x"}, {"MILLRACE_LISTEN", ":1"}});
    EXPECT_EQ(values, (Values{{"db-anon-role", "web"}, {"app.settings.Some_Key", "1"}}));
}

}  // namespace
}  // namespace millrace::postgrest
