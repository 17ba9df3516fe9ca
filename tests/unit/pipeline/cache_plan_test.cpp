// What may be kept, for whom, and until what changes.
#include <gmock/gmock.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using Tags = std::vector<fence::Tag>;
using catalog::Volatility;

catalog::Column column(const char* name, std::uint32_t oid) {
    catalog::Column out;
    out.name = name;
    out.type = oid == 23 ? "integer" : "text";
    out.type_oid = out.base_type_oid = oid;
    return out;
}

// One table of each kind that matters, and one function.
struct World {
    World() {
        plain("notes");
        plain("others").watched = false;
        plain("secrets").row_security = true;
        plain("mine").reads_session = true;
        auto& headers = plain("by_header");
        headers.reads_session = headers.reads_request = true;
        plain("clock").is_volatile = true;
        catalog->relations.push_back(relation("elsewhere", "notes"));
        for (const auto& [name, kind] : {std::pair{"pure", Volatility::immutable}, std::pair{"look", Volatility::stable},
                                         std::pair{"act", Volatility::is_volatile}}) {
            catalog::Function function;
            function.schema = "public";
            function.name = name;
            function.volatility = kind;
            function.parameters.push_back({.name = "a", .type = "integer", .type_oid = 23});
            function.return_type = "integer";
            function.return_type_oid = 23;
            function.result_columns = {column(name, 23)};
            catalog->functions.push_back(std::move(function));
        }
        std::ranges::sort(catalog->functions, {}, &catalog::Function::name);
        catalog::complete(*catalog);
        snapshot->catalog = catalog;
    }

    static catalog::Relation relation(const char* schema, const char* name) {
        catalog::Relation out;
        out.schema = schema;
        out.name = name;
        out.columns = {column("id", 23), column("text", 25)};
        out.primary_key = {"id"};
        out.base_tables = {out.id()};
        out.watched = true;
        return out;
    }
    catalog::Relation& plain(const char* name) { return catalog->relations.emplace_back(relation("public", name)); }

    // `rules`: the "resources" of v1.
    std::shared_ptr<const Work> work(std::string_view rules, std::string_view target,
                                     const auth::Identity& identity = anonymous(), std::vector<message::Header> headers = {}) {
        snapshot->settings = settings;
        snapshot->versions.clear();
        for (const char* schema : {"public", "elsewhere"}) {
            auto parsed =
                routes::parse_route_table(R"({"version": "v1", "schema": ")" + std::string(schema) +
                                              R"(", "expose": "schema", "defaults": {"cache": {"ttl_s": 10}}, "resources": {)" +
                                              (schema == std::string("public") ? std::string(rules) : "") + "}}",
                                          "v1.json");
            EXPECT_TRUE(parsed.problems.empty()) << config::to_line(parsed.problems.front());
            auto lens = routes::build_lens(parsed.table, catalog, settings);
            EXPECT_TRUE(lens.problems.empty()) << config::to_line(lens.problems.front());
            snapshot->versions.push_back(lens.api);
        }
        message::Request request;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
        request.headers = std::move(headers);
        const auto match = find_route(*snapshot, request, WallTime{});
        EXPECT_TRUE(match) << match.error().message;
        auto prepared = prepare(snapshot, *match, identity, request);
        EXPECT_TRUE(prepared) << prepared.error().message;
        return std::get<std::shared_ptr<const Work>>(*prepared);
    }
    bool kept(std::string_view rules, std::string_view target, const auth::Identity& identity = anonymous()) {
        return work(rules, target, identity)->cache.has_value();
    }
    std::string key(std::string_view rules, std::string_view target, const auth::Identity& identity = anonymous(),
                    std::vector<message::Header> headers = {}) {
        const auto made = work(rules, target, identity, std::move(headers));
        EXPECT_TRUE(made->cache) << target;
        return made->cache ? cache_key(*made->cache, {}) : "";
    }

    static auth::Identity anonymous() { return {.role = "", .claims_json = "{}"}; }
    static auth::Identity user(std::string claims, std::string role = "member") {
        return {.role = std::move(role), .claims_json = std::move(claims), .authenticated = true};
    }

    std::shared_ptr<catalog::Catalog> catalog = std::make_shared<catalog::Catalog>();
    std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
    config::Settings settings;
};

TEST(CachePlan, what_may_differ_by_identity_is_kept_only_where_the_route_says_by_which_claims) {
    World world;
    const auto someone = World::user(R"({"sub":"1"})");
    for (const char* relation : {"secrets", "mine"}) {
        const std::string target = "/v1/" + std::string(relation), rule = "\"" + std::string(relation) + "\": ";
        EXPECT_FALSE(world.kept("", target)) << target;
        EXPECT_FALSE(world.kept("", target, someone)) << target;
        EXPECT_TRUE(world.kept(rule + R"({"cache": {"vary_claims": ["sub"]}})", target, someone)) << target;
        EXPECT_TRUE(world.kept(rule + R"({"cache": {"vary_claims": []}})", target)) << target;
    }
    EXPECT_TRUE(world.kept("", "/v1/notes", someone));
    EXPECT_FALSE(world.kept(R"("by_header": {"cache": {"vary_claims": ["sub"], "by_time": true}})", "/v1/by_header", someone))
        << "headers are in no key";
}

TEST(CachePlan, identities_share_a_key_exactly_if_role_and_declared_claims_agree) {
    World world;
    const char* rule = R"("secrets": {"cache": {"vary_claims": ["sub", ".app.tenant"]}})";
    const auto key = [&](const auth::Identity& identity) { return world.key(rule, "/v1/secrets?id=eq.1", identity); };
    const std::string one = key(World::user(R"({"sub":"1","exp":5})"));
    EXPECT_EQ(one, key(World::user(R"({"exp":6,"sub":"1"})")));
    EXPECT_NE(one, key(World::user(R"({"sub":"2"})")));
    EXPECT_NE(one, key(World::user(R"({"sub":1})")));
    EXPECT_NE(one, key(World::user(R"({"sub":"1","app":{"tenant":"t"}})")));
    EXPECT_NE(one, key(World::user(R"({"sub":"1","app":{"tenant":null}})")));
    EXPECT_NE(one, key(World::user(R"({"sub":"1"})", "admin")));
    EXPECT_NE(key(World::user("{}", "")), key(World::anonymous())) << "they are told different things of caching";
    const char* by_role = R"("secrets": {"cache": {"vary_claims": []}})";
    EXPECT_EQ(world.key(by_role, "/v1/secrets", World::user(R"({"sub":"1"})")),
              world.key(by_role, "/v1/secrets", World::user(R"({"sub":"2"})")));
}

TEST(CachePlan, everything_else_of_a_request_that_decides_the_bytes_is_in_the_key) {
    World world;
    const std::string plain = world.key("", "/v1/notes");
    for (const message::Header& header : std::vector<message::Header>{{"Accept-Profile", "elsewhere"},
                                                                      {"Prefer", "timezone=UTC"},
                                                                      {"Prefer", "handling=strict"},
                                                                      {"Prefer", "count=exact"},
                                                                      {"Accept", "text/csv"},
                                                                      {"Range", "0-4"}})
        EXPECT_NE(world.key("", "/v1/notes", World::anonymous(), {header}), plain) << header.name << ": " << header.value;
    EXPECT_EQ(world.key("", "/v1/notes", World::anonymous(), {{"X-Other", "1"}, {"Cookie", "a=b"}}), plain);
}

TEST(CachePlan, nothing_is_kept_past_the_function_before_the_request) {
    World world;
    world.settings.api.pre_request = "public.check";
    EXPECT_FALSE(world.kept("", "/v1/notes"));
}

TEST(CachePlan, what_nobody_tags_is_kept_only_where_its_own_rule_says_until_when) {
    World world;
    for (const char* relation : {"clock", "others"}) {
        const std::string target = "/v1/" + std::string(relation), rule = "\"" + std::string(relation) + "\": ";
        EXPECT_FALSE(world.kept("", target)) << target;
        EXPECT_FALSE(world.kept(rule + R"({"cache": {"ttl_s": 5}})", target)) << target;
        EXPECT_TRUE(world.kept(rule + R"({"cache": {"ttl_s": 5, "by_time": true}})", target)) << target;
        const auto made = world.work(rule + R"({"cache": {"depends_on": ["notes"]}})", target);
        ASSERT_TRUE(made->cache) << target;
        EXPECT_THAT(made->cache->tags, testing::IsSupersetOf({"public." + std::string(relation), std::string("public.notes")}))
            << target;
        EXPECT_FALSE(world.kept(rule + R"({"cache": {"depends_on": ["notes", "others"]}})", target)) << "nobody watches others";
    }
}

TEST(CachePlan, what_is_kept_by_its_time_alone_asks_for_no_snapshot) {
    World world;
    const char* timed = R"({"cache": {"ttl_s": 5, "by_time": true}})";
    const auto others = world.work(std::string("\"others\": ") + timed, "/v1/others");
    EXPECT_FALSE(others->script.has_snapshot);
    EXPECT_EQ(others->cache->tags, (Tags{"@v1", "@v1/others", "public.others"})) << "so that it can be purged";
    EXPECT_TRUE(world.work(std::string("\"clock\": ") + timed, "/v1/clock")->script.has_snapshot) << "its table is watched";
    const char* declared = R"("others": {"cache": {"ttl_s": 5, "by_time": true, "depends_on": ["notes"]}})";
    EXPECT_TRUE(world.work(declared, "/v1/others")->script.has_snapshot);
}

TEST(CachePlan, calls_are_kept_where_the_function_has_a_rule_and_cannot_change_anything) {
    World world;
    const char* dependent = R"("rpc/look": {"cache": {"ttl_s": 5, "depends_on": ["notes"]}})";
    EXPECT_FALSE(world.kept("", "/v1/rpc/look?a=1")) << "defaults are not meant for functions";
    EXPECT_FALSE(world.kept("", "/v1/rpc/pure?a=1"));
    EXPECT_EQ(world.work(dependent, "/v1/rpc/look?a=1")->cache->tags, (Tags{"@v1", "@v1/rpc/look", "public.notes"}));
    EXPECT_EQ(world.work(R"("rpc/look": {"cache": {"ttl_s": 5}})", "/v1/rpc/look?a=1")->cache->tags,
              (Tags{"@v1", "@v1/rpc/look"}));
    EXPECT_TRUE(world.kept(R"("rpc/pure": {"cache": {"ttl_s": 5}})", "/v1/rpc/pure?a=1"));
    EXPECT_FALSE(world.kept(R"("rpc/act": {"cache": {"ttl_s": 5, "depends_on": ["notes"]}})", "/v1/rpc/act?a=1"));
    EXPECT_NE(world.key(dependent, "/v1/rpc/look?a=1"), world.key(dependent, "/v1/rpc/look?a=2"));
}

TEST(CachePlan, a_function_that_nobody_sees_into_is_trusted_with_claims_only_by_declaration) {
    World world;
    const auto someone = World::user(R"({"sub":"1"})");
    EXPECT_FALSE(world.kept(R"("rpc/look": {"cache": {"ttl_s": 5}})", "/v1/rpc/look?a=1", someone));
    EXPECT_TRUE(world.kept(R"("rpc/look": {"cache": {"ttl_s": 5, "vary_claims": []}})", "/v1/rpc/look?a=1", someone));
    EXPECT_TRUE(world.kept(R"("rpc/pure": {"cache": {"ttl_s": 5}})", "/v1/rpc/pure?a=1", someone));
}

TEST(CachePlan, a_call_brings_a_snapshot_from_before_it_ran) {
    World world;
    const auto made = world.work(R"("rpc/look": {"cache": {"ttl_s": 5}})", "/v1/rpc/look?a=1");
    ASSERT_TRUE(made->script.snapshot);
    EXPECT_LT(*made->script.snapshot, made->script.main);
    EXPECT_EQ(made->script.statements[*made->script.snapshot].text, "SELECT pg_current_snapshot()");
}

TEST(CachePlan, a_standby_is_offered_what_the_route_offers_and_tags_can_judge) {
    World world;
    const std::string standby = R"({"reads": "standby"})";
    EXPECT_FALSE(world.work("\"notes\": " + standby, "/v1/notes")->on_standby) << "there is none";
    world.settings.database.standby_url = "postgresql://there";
    EXPECT_FALSE(world.work("", "/v1/notes")->on_standby);
    const auto made = world.work("\"notes\": " + standby, "/v1/notes");
    ASSERT_TRUE(made->on_standby);
    EXPECT_EQ(made->standby_tags, (Tags{"public.notes"}));
    EXPECT_TRUE(made->script.has_snapshot && !made->script.on_standby);
    EXPECT_TRUE(made->on_standby->script.on_standby && !made->on_standby->script.has_snapshot);
    EXPECT_EQ(made->on_standby->script.main, 1U);
    for (const char* blind : {"clock", "others"})
        EXPECT_FALSE(world.work("\"" + std::string(blind) + "\": " + standby, "/v1/" + std::string(blind))->on_standby)
            << blind;
    EXPECT_TRUE(world.work("\"secrets\": " + standby, "/v1/secrets")->on_standby) << "it is read for its caller, not kept";
    world.settings.api.pre_request = "public.check";
    EXPECT_FALSE(world.work("\"notes\": " + standby, "/v1/notes")->on_standby);
}

}  // namespace
}  // namespace millrace::pipeline
