// Which answers of a service may be kept, for how long, and for whom.
#include <gtest/gtest.h>

#include <millrace/core/upstream.hpp>

namespace millrace::upstream {
namespace {

using namespace std::chrono;

constexpr WallTime now = sys_days(year(2026) / 6 / 1);

Caching caching(const std::string& lines) { return caching_of(message::HeaderBlock::from_lines(lines)); }

std::optional<std::int64_t> kept_s(const std::string& lines, int status = 200, std::uint64_t ttl_s = 0, bool caller = false) {
    routes::CachePolicy policy;
    policy.ttl_s = ttl_s;
    auto said = caching(lines);
    said.date = now;
    const auto kept = may_keep(status, said, caller, policy, now);
    return kept ? std::optional(duration_cast<seconds>(kept->fresh_for - kept->age).count()) : std::nullopt;
}

}  // namespace

TEST(UpstreamCaching, lives_as_long_as_its_maker_says) {
    struct Case {
        const char* lines;
        std::optional<std::int64_t> seconds;
    };
    const Case cases[] = {{"Cache-Control: max-age=60\r\n", 60},
                          {"Cache-Control: max-age=60, s-maxage=10\r\n", 10},
                          {"Cache-Control: MAX-AGE=\"60\"\r\n", 60},
                          {"Cache-Control: max-age=60\r\nAge: 20\r\n", 40},
                          {"Cache-Control: max-age=60\r\nAge: 60\r\n", std::nullopt},
                          {"Cache-Control: max-age=0\r\n", std::nullopt},
                          {"Cache-Control: max-age=x\r\n", std::nullopt},
                          {"Cache-Control: public\r\n", std::nullopt},
                          {"Expires: Mon, 01 Jun 2026 00:01:00 GMT\r\n", 60},
                          {"Expires: Mon, 01 Jun 2026 00:01:00 GMT\r\nCache-Control: max-age=5\r\n", 5},
                          {"Expires: 0\r\n", std::nullopt},
                          {"Cache-Control: no-store, max-age=60\r\n", std::nullopt},
                          {"Cache-Control: no-cache=\"a, b\", max-age=60\r\n", std::nullopt},
                          {"Cache-Control: private, max-age=60\r\n", std::nullopt},
                          {"Cache-Control: about=\"us, no-store\", max-age=60\r\n", 60},
                          {"Cache-Control: max-age=60\r\nCache-Control: no-store\r\n", std::nullopt},
                          {"Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n", std::nullopt},
                          {"Cache-Control: max-age=60\r\nVary: *\r\n", std::nullopt},
                          {"Cache-Control: max-age=60\r\nVary: Accept, Cookie\r\n", std::nullopt},
                          {"Cache-Control: max-age=60\r\nVary: Accept\r\n", 60},
                          {"", std::nullopt}};
    for (const Case& c : cases) EXPECT_EQ(kept_s(c.lines), c.seconds) << c.lines;
}

TEST(UpstreamCaching, lives_by_the_route_where_its_maker_says_nothing) {
    EXPECT_EQ(kept_s("", 200, 30), 30);
    EXPECT_EQ(kept_s("", 404, 30), 30);
    EXPECT_EQ(kept_s("", 302, 30), std::nullopt);
    EXPECT_EQ(kept_s("", 500, 30), std::nullopt);
    EXPECT_EQ(kept_s("Cache-Control: max-age=5\r\n", 200, 30), 5);
    EXPECT_EQ(kept_s("Cache-Control: no-store\r\n", 200, 30), std::nullopt);
}

TEST(UpstreamCaching, keeps_only_what_it_understands) {
    for (const int status : {200, 203, 204, 301, 302, 308, 404, 410})
        EXPECT_TRUE(kept_s("Cache-Control: max-age=9\r\n", status));
    for (const int status : {206, 304, 201, 400, 401, 403, 500, 502, 503})
        EXPECT_FALSE(kept_s("Cache-Control: max-age=9\r\n", status)) << status;
}

TEST(UpstreamCaching, shares_what_was_said_to_a_caller_only_where_that_is_allowed) {
    EXPECT_FALSE(kept_s("Cache-Control: max-age=9\r\n", 200, 0, true));
    EXPECT_FALSE(kept_s("", 200, 30, true));
    for (const char* allowed : {"public, max-age=9", "s-maxage=9", "must-revalidate, max-age=9"})
        EXPECT_TRUE(kept_s("Cache-Control: " + std::string(allowed) + "\r\n", 200, 0, true)) << allowed;
}

TEST(UpstreamCaching, allows_stale_answers_as_far_as_both_do) {
    routes::CachePolicy policy;
    policy.stale_if_error_s = 5;
    EXPECT_EQ(stale_windows(caching(""), policy).if_error, seconds(5));
    const auto said = stale_windows(caching("Cache-Control: stale-while-revalidate=7, stale-if-error=9\r\n"), policy);
    EXPECT_EQ(said.while_revalidate, seconds(7));
    EXPECT_EQ(said.if_error, seconds(9));
    for (const char* never : {"must-revalidate", "proxy-revalidate", "s-maxage=1"})
        EXPECT_EQ(stale_windows(caching("Cache-Control: stale-if-error=9, " + std::string(never) + "\r\n"), policy).longest(),
                  seconds(0));
}

TEST(UpstreamCaching, is_used_for_plain_reads_only) {
    message::Request request;
    EXPECT_TRUE(may_use_cache(request));
    request.method = message::Method::post;
    EXPECT_FALSE(may_use_cache(request));
    for (const char* name : {"Range", "If-Match", "If-Unmodified-Since", "If-Range"}) {
        message::Request part;
        part.headers = {{name, "x"}};
        EXPECT_FALSE(may_use_cache(part)) << name;
    }
}

TEST(UpstreamCaching, renews_the_fields_of_what_still_holds) {
    const auto kept =
        message::HeaderBlock::from_lines("ETag: \"a\"\r\nContent-Type: text/plain\r\nCache-Control: max-age=1\r\n");
    const auto said =
        message::HeaderBlock::from_lines("Cache-Control: max-age=9\r\nContent-Type: x/y\r\nX-A: 1\r\nX-A: 2\r\nAge: 3\r\n");
    EXPECT_EQ(renewed(kept, said).lines(),
              "ETag: \"a\"\r\nContent-Type: text/plain\r\nCache-Control: max-age=9\r\nX-A: 1\r\nX-A: 2\r\n");
}

TEST(UpstreamVariants, are_told_apart_by_the_fields_that_the_answer_names) {
    const Variation variation{"n1", {"accept-language"}};
    EXPECT_EQ(parse_variation(to_text(variation))->names, variation.names);
    EXPECT_EQ(parse_variation(to_text({"n2", {}}))->nonce, "n2");
    message::Request german, english, none;
    german.headers = {{"Accept-Language", "de"}};
    english.headers = {{"Accept-Language", "en"}};
    const auto key = [&](const message::Request& request) { return variant_key("k", variation, request); };
    EXPECT_EQ(key(german), key(german));
    EXPECT_NE(key(german), key(english));
    EXPECT_NE(key(german), key(none));
    EXPECT_NE(key(german), variant_key("k", {"n2", {"accept-language"}}, german));
    EXPECT_NE(variation_key("k"), key(none));
}

TEST(UpstreamVariants, are_told_apart_by_all_lines_of_a_field_and_by_where_one_ends) {
    const Variation variation{"n1", {"a", "b"}};
    const auto key = [&](std::vector<message::Header> headers) {
        message::Request request;
        request.headers = std::move(headers);
        return variant_key("k", variation, request);
    };
    EXPECT_NE(key({{"A", "1"}, {"A", "2"}}), key({{"A", "2"}}));
    for (const char* joint : {",b ", ",b  "}) {
        const std::string first = "1" + std::string(joint) + "2", second = "2" + std::string(joint) + "3";
        EXPECT_NE(key({{"A", first}, {"B", "3"}}), key({{"A", "1"}, {"B", second}}));
    }
}

TEST(UpstreamConditions, compare_tags_whole) {
    const auto headers =
        message::HeaderBlock::from_lines("ETag: \"a.b-gzip\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    const auto has = [&](const char* name, const char* value) {
        message::Request request;
        request.headers = {{name, value}};
        return client_has(request, headers);
    };
    EXPECT_TRUE(has("If-None-Match", "\"x\", W/\"a.b-gzip\""));
    EXPECT_TRUE(has("If-None-Match", "*"));
    EXPECT_FALSE(has("If-None-Match", "\"a.b\""));
    EXPECT_FALSE(has("If-None-Match", "\"a"));
    EXPECT_TRUE(has("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"));
    EXPECT_FALSE(has("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"));
    EXPECT_FALSE(has("If-Modified-Since", "yesterday"));
}

TEST(UpstreamConditions, do_not_mind_whether_a_tag_is_weak) {
    message::Request request;
    request.headers = {{"If-None-Match", "\"a\""}};
    EXPECT_TRUE(client_has(request, message::HeaderBlock::from_lines("ETag: W/\"a\"\r\n")));
}

}  // namespace millrace::upstream
