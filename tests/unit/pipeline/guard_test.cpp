// Conditions on writes, and what answers tell caches: what is made of a request, and what is made of its results.
#include <gmock/gmock.h>

#include "world.hpp"

namespace millrace::pipeline {
namespace {

using testing::HasSubstr, testing::StartsWith;

constexpr auto patch = message::Method::patch;

// The bytes that a GET of the one row gives, and so its tag.
const std::string seen = reply::entity_tag(R"([{"id":1,"text":"a"}])", "application/json");

sql::Rows rows(std::vector<std::string_view> cells) {
    sql::Rows out;
    out.cells = std::move(cells);
    out.columns = 2;
    return out;
}

std::shared_ptr<const Work> guarded(World& world, const char* field, const std::string& value) {
    return world.work(patch, "/v1/notes?id=eq.1", {{field, value}});
}

// What the read finds, and how many rows the write changes.
Result<void> judged(const Work& work, bool found, std::uint64_t changed) {
    sql::Results results(work.script.statements.size());
    results[work.guard->read] = found ? rows({"1", "a"}) : rows({});
    results[work.script.main].affected = changed;
    auto closed = (*closing(work))(results);
    return closed ? Result<void>() : std::move(closed).error();
}

}  // namespace

TEST(Guard, locks_and_reads_before_it_writes) {
    World world;
    const auto work = guarded(world, "If-Match", "\"x\"");
    const auto& statements = work->script.statements;
    ASSERT_TRUE(work->guard && work->script.outcome);
    ASSERT_EQ(work->guard->read + 1, work->script.main);
    EXPECT_THAT(statements[work->guard->read - 1].text, HasSubstr("FOR UPDATE OF t0"));
    EXPECT_THAT(statements[work->guard->read].text, StartsWith("SELECT t0.\"id\", t0.\"text\" FROM"));
    EXPECT_THAT(statements[work->script.main].text, StartsWith("UPDATE"));
    EXPECT_EQ(*work->script.outcome, work->script.main + 1);
    EXPECT_THAT(statements[*work->script.outcome].text, HasSubstr("pg_current_xact_id_if_assigned"));
    EXPECT_FALSE(world.work(patch, "/v1/notes?id=eq.1")->guard);
}

TEST(Guard, commits_only_what_the_client_has_seen) {
    World world;
    EXPECT_TRUE(judged(*guarded(world, "If-Match", seen), true, 1));
    EXPECT_TRUE(judged(*guarded(world, "If-Match", "*"), true, 1));
    EXPECT_TRUE(judged(*guarded(world, "If-None-Match", "\"x\""), true, 1));
    EXPECT_TRUE(judged(*guarded(world, "If-None-Match", "*"), false, 0));
    for (const auto& [field, value, found] :
         std::vector<std::tuple<const char*, std::string, bool>>{{"If-Match", "\"x\"", true},
                                                                 {"If-Match", "W/" + seen, true},
                                                                 {"If-Match", "*", false},
                                                                 {"If-Match", seen, false},
                                                                 {"If-None-Match", "*", true},
                                                                 {"If-None-Match", "W/" + seen, true}}) {
        const auto verdict = judged(*guarded(world, field, value), found, found ? 1 : 0);
        ASSERT_FALSE(verdict) << field << ": " << value;
        EXPECT_EQ(verdict.error().status, 412);
    }
}

TEST(Guard, lets_no_row_be_changed_that_was_not_read) {
    World world;
    EXPECT_FALSE(judged(*guarded(world, "If-Match", seen), true, 2));
    EXPECT_FALSE(judged(*guarded(world, "If-None-Match", "*"), false, 1));
}

TEST(Guard, what_cannot_be_checked_is_refused) {
    World world;
    const auto made = world.try_work(message::Method::post, "/v1/notes", {{"If-Match", "*"}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, "MR024");
}

TEST(CachingHeaders, say_what_the_route_says) {
    World world;
    world.cache.max_age_s = 5;
    world.cache.s_maxage_s = 60;
    world.cache.cdn_max_age_s = 600;
    world.cache.stale_if_error_s = 7;
    world.cache.shared = world.cache.groups = world.cache.surrogate_keys = true;
    const auto reply = finish(*world.work(message::Method::get, "/v1/notes?id=eq.1"), {rows({"1", "a"})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->headers.get("Cache-Control"), "public, max-age=5, s-maxage=60, stale-if-error=7");
    EXPECT_EQ(reply->headers.get("CDN-Cache-Control"), "public, max-age=600, stale-if-error=7");
    EXPECT_EQ(reply->headers.get("Cache-Groups"), "\"public.notes\"");
    EXPECT_EQ(reply->headers.get("Surrogate-Key"), "v1 v1/notes public.notes");
    EXPECT_EQ(reply->headers.get("ETag"), seen);
}

TEST(CachingHeaders, of_a_route_that_is_not_shared_tell_no_shared_cache_to_keep_anything) {
    World world;
    world.cache.max_age_s = 5;
    world.cache.s_maxage_s = 60;
    world.cache.cdn_max_age_s = 600;
    world.cache.stale_while_revalidate_s = 3;
    const auto reply = finish(*world.work(message::Method::get, "/v1/notes"), {rows({})});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->headers.get("Cache-Control"), "private, max-age=5, stale-while-revalidate=3");
    EXPECT_EQ(reply->headers.get("CDN-Cache-Control"), "");
    EXPECT_EQ(reply->headers.get("Cache-Groups"), "");
}

TEST(CachingHeaders, name_a_table_that_no_version_shows_by_a_hash) {
    World world;
    world.cache.groups = true;
    world.catalog->relations.front().base_tables = {"hidden.secrets", "public.notes"};
    const auto work = world.work(message::Method::get, "/v1/notes");
    EXPECT_THAT(work->groups, HasSubstr("\"public.notes\""));
    EXPECT_THAT(work->groups, HasSubstr("\"t-"));
    EXPECT_EQ(work->groups.find("secret"), std::string::npos);
    EXPECT_EQ(work->groups, world.work(message::Method::get, "/v1/notes?id=eq.1")->groups);
}

}  // namespace millrace::pipeline
