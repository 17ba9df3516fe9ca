// Who may use a route, and what those hear who may not.
#include <gmock/gmock.h>

#include <stdexcept>

#include "world.hpp"

namespace millrace::pipeline {
namespace {

constexpr auto get = message::Method::get;

auth::Identity anonymous() { return {.role = "", .claims_json = "{}"}; }
auth::Identity bearer(std::string scopes = "") {
    return {
        .role = "member", .claims_json = "{}", .authenticated = true, .subject = "1", .scopes = " " + std::move(scopes) + " "};
}

struct Door {
    explicit Door(const std::string& resources, const std::string& defaults = "{}") {
        catalog::Relation others = world.catalog->relations.front();
        others.name = "others";
        others.base_tables = {others.id()};
        world.catalog->relations.push_back(others);
        catalog::complete(*world.catalog);
        auto parsed = routes::parse_route_table(
            R"({"version": "v1", "expose": "listed", "defaults": )" + defaults + R"(, "resources": {)" + resources + "}}",
            "v1.json");
        EXPECT_TRUE(parsed.problems.empty()) << config::to_line(parsed.problems.front());
        const auto built = routes::build_lens(parsed.table, world.catalog, world.settings);
        if (built.api == nullptr) throw std::logic_error(config::to_line(built.problems.front()));
        world.snapshot->versions.push_back(built.api);
    }

    // The code of the refusal, or nothing.
    std::string at(const std::string& path, const auth::Identity& who) {
        world.snapshot->settings = world.settings;
        message::Request request;
        request.method = get;
        request.target = request.path = path;
        const auto match = find_route(*world.snapshot, request, WallTime{});
        if (!match) return unfound(match.error(), who, *world.snapshot, path).code;
        const auto admitted = match->unknown_function ? admit_to_unknown(who, *match->api, world.settings.auth)
                                                      : admit(who, match->resource->policies, world.settings.auth);
        return admitted ? "" : admitted.error().code;
    }

    World world;
};

TEST(Gate, a_route_is_for_everybody_for_the_identified_or_for_who_has_the_scopes) {
    Door door(R"("notes": {"auth": "required"}, "others": {"auth": ["read", "others:write"]})");
    EXPECT_EQ(door.at("/v1/notes", anonymous()), "MR062");
    EXPECT_EQ(door.at("/v1/notes", bearer()), "");
    EXPECT_EQ(door.at("/v1/others", anonymous()), "MR062");
    EXPECT_EQ(door.at("/v1/others", bearer("read")), "MR063");
    EXPECT_EQ(door.at("/v1/others", bearer("others:write read")), "");
    EXPECT_EQ(door.at("/v1/others", bearer("reads others:writer")), "MR063") << "a scope is a whole word";
}

TEST(Gate, without_a_word_of_the_route_the_process_decides_about_anonymous_callers) {
    Door door(R"("notes": {}, "others": {"auth": "public"})");
    EXPECT_EQ(door.at("/v1/notes", anonymous()), "");
    door.world.settings.auth.anonymous = false;
    EXPECT_EQ(door.at("/v1/notes", anonymous()), "PGRST302");
    EXPECT_EQ(door.at("/v1/others", anonymous()), "");
    EXPECT_EQ(door.at("/v1/notes", bearer()), "");
}

TEST(Gate, a_route_may_be_more_open_than_the_defaults) {
    Door door(R"("notes": {"auth": "public"}, "others": {})", R"({"auth": ["read"]})");
    EXPECT_EQ(door.at("/v1/notes", anonymous()), "");
    EXPECT_EQ(door.at("/v1/others", bearer()), "MR063");
}

TEST(Gate, refusals_of_what_is_there_and_of_what_is_not_are_the_same) {
    Door door(R"("notes": {"auth": ["admin"]}, "others": {})");
    for (const char* path : {"/v1/notes", "/v1/nothing", "/v1/rpc/nothing"}) {
        EXPECT_EQ(door.at(path, anonymous()), "MR062") << path;
        EXPECT_EQ(door.at(path, bearer()), "MR063") << path;
    }
    EXPECT_EQ(door.at("/v1/nothing", bearer("admin")), "PGRST205");
    Door open(R"("notes": {}, "others": {})");
    EXPECT_EQ(open.at("/v1/nothing", anonymous()), "PGRST205");
    open.world.settings.auth.anonymous = false;
    EXPECT_EQ(open.at("/v1/nothing", anonymous()), "PGRST302");
    EXPECT_EQ(open.at("/v7/nothing", anonymous()), "PGRST302");
}

TEST(Gate, refusals_say_which_kind_of_credentials_are_wanted_and_no_more) {
    Door door(R"("notes": {"auth": ["secret-scope"]})");
    const auto& policies = door.world.snapshot->versions.front()->find("notes")->policies;
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(admit(anonymous(), policies, {}).error().headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
    const Error refused = admit(bearer(), policies, {}).error();
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.headers, (Headers{{"WWW-Authenticate", R"(Bearer error="insufficient_scope")"}}));
    EXPECT_THAT(refused.message, testing::Not(testing::HasSubstr("secret-scope")));
}

}  // namespace
}  // namespace millrace::pipeline
