// What a request makes of its transaction: none of it for a plain anonymous read, all of PostgREST's for the rest.
#include <gmock/gmock.h>

#include "world.hpp"

namespace millrace::pipeline {
namespace {

using testing::Contains, testing::HasSubstr, testing::Not;

// "name=value" of what the first statement sets.
std::vector<std::string> set_by(const Work& work) {
    std::vector<std::string> out;
    const auto& parameters = work.script.statements.front().parameters;
    for (std::size_t i = 0; i + 1 < parameters.size(); i += 2) out.push_back(*parameters[i] + "=" + *parameters[i + 1]);
    return out;
}

constexpr auto get = message::Method::get, post = message::Method::post;

TEST(Prepare, a_plain_anonymous_read_is_one_statement_that_can_be_remembered) {
    World world;
    const auto work = world.work(get, "/v1/notes?id=eq.1");
    EXPECT_EQ(work->script.statements.size(), 1U);
    EXPECT_TRUE(work->repeatable && work->by_full_key);
    EXPECT_FALSE(work->script.outcome || work->script.rolls_back);
}

TEST(Prepare, a_role_has_its_settings_before_it_and_its_claims_name_it) {
    World world;
    world.settings.api.app_settings = {"app.settings.key=1=2"};
    const auto work = world.work(get, "/v1/notes", {{"Cookie", "a=b; c=d"}, {"X-A", "1"}, {"Prefer", "timezone=Asia/Tokyo"}},
                                 {.role = "teller", .claims_json = R"({"sub":"7"})", .authenticated = true});
    const auto settings = set_by(*work);
    ASSERT_GE(settings.size(), 3U);
    EXPECT_EQ(settings[0], R"(search_path="public", "public")");
    EXPECT_EQ(settings[1], "statement_timeout=1s");
    EXPECT_EQ(settings[2], "role=teller");
    EXPECT_THAT(settings, Contains(R"(request.jwt.claims={"role":"teller","sub":"7"})"));
    EXPECT_THAT(settings, Contains(R"(request.cookies={"a":"b","c":"d"})"));
    EXPECT_THAT(settings, Contains("timezone=Asia/Tokyo"));
    EXPECT_THAT(settings, Contains("app.settings.key=1=2"));
    EXPECT_THAT(settings, Contains(HasSubstr(R"(request.headers={"x-a":"1")")));
    EXPECT_FALSE(work->repeatable);
}

TEST(Prepare, the_function_before_the_request_is_called_and_heard) {
    World world;
    world.settings.api.pre_request = "api.check";
    const auto work = world.work(get, "/v1/notes");
    ASSERT_GE(work->script.statements.size(), 4U);
    EXPECT_EQ(work->script.statements[1].text, R"(SELECT "api"."check"())");
    ASSERT_TRUE(work->script.outcome);
    EXPECT_THAT(work->script.statements[*work->script.outcome].text, HasSubstr("response.status"));
    EXPECT_THAT(set_by(*work), Contains(R"(request.jwt.claims={"role":"web"})"));
}

TEST(Prepare, the_end_of_a_transaction_is_the_requests_only_where_it_may_say) {
    struct Case {
        const char *setting, *prefer;
        bool rolls_back, applied;
    };
    for (const Case& c : std::vector<Case>{{"commit", "tx=rollback", false, false},
                                           {"commit-allow-override", "tx=rollback", true, true},
                                           {"commit-allow-override", "return=minimal", false, false},
                                           {"rollback", "tx=commit", true, false},
                                           {"rollback-allow-override", "tx=commit", false, true},
                                           {"rollback-allow-override", "return=minimal", true, false}}) {
        World world;
        world.settings.api.transaction_end = c.setting;
        const auto work = world.work(post, "/v1/notes", {{"Prefer", c.prefer}});
        EXPECT_EQ(work->script.rolls_back, c.rolls_back) << c.setting << ' ' << c.prefer;
        const bool applied = std::ranges::find(work->shape.applied, c.prefer) != work->shape.applied.end();
        EXPECT_EQ(applied && std::string_view(c.prefer).starts_with("tx="), c.applied) << c.setting << ' ' << c.prefer;
    }
}

TEST(Prepare, profiles_choose_the_schema_and_the_answer_says_which) {
    World world;
    const auto standard = world.work(get, "/v1/notes"), other = world.work(get, "/v1/notes", {{"Accept-Profile", "other"}});
    EXPECT_EQ(standard->resource->relation->schema, "public");
    EXPECT_EQ(other->resource->relation->schema, "other");
    EXPECT_TRUE(standard->negotiated && other->negotiated) << "with several schemas the default was chosen, too";
    EXPECT_EQ(world.work(post, "/v1/notes", {{"Content-Profile", "other"}})->resource->relation->schema, "other");
    message::Request request;
    request.path = "/v1/notes";
    request.headers = {{"Accept-Profile", "secret"}};
    const auto refused = find_route(*world.snapshot, request, WallTime{});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "PGRST106");
    EXPECT_EQ(refused.error().hint, "Only the following schemas are exposed: public, other");
}

TEST(Prepare, answers_at_the_root_and_under_the_version_know_where_they_are) {
    World world;
    world.settings.cache.memory_bytes_max = 1;
    EXPECT_EQ(world.work(get, "/notes?text=eq.b&id=eq.1")->location.text, "/notes?id=eq.1&text=eq.b");
    EXPECT_EQ(world.work(get, "/v1/notes")->location.text, "/v1/notes");
}

}  // namespace
}  // namespace millrace::pipeline
