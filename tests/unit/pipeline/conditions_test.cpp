// What of a request makes its answer another one: conditions, directives for caches, what stands in front.
#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using std::chrono::seconds;

message::Request request_with(std::vector<message::Header> headers, message::Method method = message::Method::get) {
    message::Request request;
    request.method = method;
    request.headers = std::move(headers);
    return request;
}

message::Reply reply_with(std::string_view etag) {
    message::Reply reply;
    reply.headers.add("Content-Type", "application/json; charset=utf-8");
    reply.headers.add("Vary", "Accept");
    if (!etag.empty()) reply.headers.add("ETag", etag);
    reply.body = std::string("[1]");
    return reply;
}

struct Outcome {
    int status;
    std::string etag;
};
Outcome outcome_of(const message::Request& request, message::Reply reply) {
    const auto met = apply_conditions(request, reply);
    return met ? Outcome{reply.status, std::string(reply.headers.get("ETag"))} : Outcome{met.error().status, ""};
}

}  // namespace

TEST(Conditions, a_known_tag_is_answered_with_304_and_no_body) {
    auto reply = reply_with("\"abc\"");
    ASSERT_TRUE(apply_conditions(request_with({{"If-None-Match", "\"abc\""}}), reply));
    EXPECT_EQ(reply.status, 304);
    EXPECT_EQ(reply.body.view(), "");
    EXPECT_EQ(reply.headers.get("ETag"), "\"abc\"");
    EXPECT_EQ(reply.headers.get("Vary"), "Accept");
    EXPECT_EQ(reply.headers.get("Content-Type"), "");
}

TEST(Conditions, decide_between_the_answer_304_and_412) {
    const struct {
        const char *match, *none_match;
        int status;
    } cases[] = {
        {"", "", 200},
        {"", "\"xyz\"", 200},
        {"", "W/\"a-1\"", 304},
        {"", "*", 304},
        {"\"a-1\"", "", 200},
        {"\"x\", \"a-1\"", "", 200},
        {"*", "", 200},
        {"W/\"a-1\"", "", 412},
        {"\"x\"", "", 412},
        {"\"x\"", "\"a-1\"", 412},  // RFC 9110 §13.2.2: If-Match goes first
        {"\"a-1\"", "\"a-1\"", 304},
    };
    for (const auto& [match, none_match, status] : cases) {
        std::vector<message::Header> headers;
        if (*match != 0) headers.push_back({"If-Match", match});
        if (*none_match != 0) headers.push_back({"If-None-Match", none_match});
        EXPECT_EQ(outcome_of(request_with(headers), reply_with("\"a-1\"")).status, status) << match << " / " << none_match;
    }
}

TEST(Conditions, of_other_statuses_and_methods_are_not_looked_at_here) {
    auto missing = reply_with("\"a-1\"");
    missing.status = 404;
    EXPECT_EQ(outcome_of(request_with({{"If-None-Match", "*"}}), missing).status, 404);
    EXPECT_EQ(outcome_of(request_with({{"If-None-Match", "*"}}, message::Method::patch), reply_with("")).status, 200);
}

TEST(Conditions, what_is_held_in_another_coding_is_still_right_while_the_client_takes_that_coding) {
    EXPECT_EQ(
        outcome_of(request_with({{"If-None-Match", "\"a-1-gzip\""}, {"Accept-Encoding", "gzip"}}), reply_with("\"a-1\"")).etag,
        "\"a-1-gzip\"");
    EXPECT_EQ(
        outcome_of(request_with({{"If-None-Match", "\"a-1\""}, {"Accept-Encoding", "br"}}), reply_with("\"a-1-br\"")).etag,
        "\"a-1\"");
    EXPECT_EQ(outcome_of(request_with({{"If-None-Match", "\"a-1-gzip\""}}), reply_with("\"a-1\"")).status, 200);
    EXPECT_EQ(
        outcome_of(request_with({{"If-None-Match", "\"a-1-gzip\""}, {"Accept-Encoding", "br"}}), reply_with("\"a-1\"")).status,
        200);
}

TEST(Conditions, on_an_answer_without_a_tag_only_any_holds) {
    EXPECT_EQ(outcome_of(request_with({{"If-Match", "\"a\""}}), reply_with("")).status, 412);
    EXPECT_EQ(outcome_of(request_with({{"If-Match", "*"}}), reply_with("")).status, 200);
}

TEST(ClientDirectives, are_read_from_every_line_and_bounded) {
    const auto said = client_directives(request_with(
        {{"Cache-Control", "max-age=\"5\", x=y"}, {"cache-control", "min-fresh=99999999999999999999 , max-stale"}}));
    EXPECT_EQ(said.max_age, seconds(5));
    EXPECT_EQ(said.min_fresh, seconds(2'147'483'648));
    EXPECT_EQ(said.max_stale, Duration::max());
    EXPECT_FALSE(said.no_cache || said.no_store || said.only_if_cached);

    const auto others =
        client_directives(request_with({{"Cache-Control", "No-Cache,no-store, only-if-cached,max-age=-1,max-age=x"}}));
    EXPECT_TRUE(others.no_cache && others.no_store && others.only_if_cached);
    EXPECT_EQ(others.max_age, std::nullopt);
}

TEST(ClientDirectives, pragma_counts_only_without_cache_control) {
    EXPECT_TRUE(client_directives(request_with({{"Pragma", "no-cache"}})).no_cache);
    EXPECT_FALSE(client_directives(request_with({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=1"}})).no_cache);
    EXPECT_FALSE(client_directives(request_with({})).no_cache);
}

TEST(ClientDirectives, say_which_entries_may_answer) {
    cache::Entry entry;
    entry.stored = WallTime{seconds{1000}};
    entry.fresh_for = seconds(60);
    const WallTime now{seconds{1010}};
    const auto accepts = [&](const char* field) {
        return client_directives(request_with({{"Cache-Control", field}})).accept(entry, now);
    };
    EXPECT_TRUE(accepts(""));
    EXPECT_TRUE(accepts("max-age=10"));
    EXPECT_FALSE(accepts("max-age=9"));
    EXPECT_TRUE(accepts("min-fresh=50"));
    EXPECT_FALSE(accepts("min-fresh=51"));
    EXPECT_FALSE(accepts("no-cache"));
    EXPECT_TRUE(accepts("no-store"));
}

TEST(Front, varnish_gets_the_range_of_rows_under_another_name) {
    message::Reply plain, renamed;
    for (auto* reply : {&plain, &renamed}) reply->headers.add("Content-Range", "0-9/*");
    suit_front(request_with({{"Via", "1.1 nginx"}}), plain);
    suit_front(request_with({{"x-varnish", "3"}}), renamed);
    EXPECT_EQ(plain.headers.lines(), "Content-Range: 0-9/*\r\n");
    EXPECT_EQ(renamed.headers.lines(), "Millrace-Content-Range: 0-9/*\r\n");
}

TEST(Variants, differ_from_the_entry_in_tag_and_coding) {
    cache::Entry entry;
    entry.header_lines = "Content-Type: application/json\r\nETag: \"1f-a0\"\r\nVary: Accept-Encoding\r\n";
    entry.etag = "\"1f-a0\"";
    entry.body = std::make_shared<const std::string>("[1]");
    const auto variant = make_variant(entry, coding::Coding::gzip, "packed");
    const auto reply = from_entry(entry, WallTime{}, &variant);
    EXPECT_EQ(reply.headers.get("ETag"), "\"1f-a0-gzip\"");
    EXPECT_EQ(reply.headers.get("Content-Encoding"), "gzip");
    EXPECT_EQ(reply.headers.get("Vary"), "Accept-Encoding");
    EXPECT_EQ(reply.body.view(), "packed");
    const std::size_t plain = entry.bytes();
    entry.variants.push_back(variant);
    EXPECT_GT(entry.bytes(), plain + variant.header_lines.size() + variant.body->size());
    EXPECT_EQ(entry.variant(coding::Coding::gzip), &entry.variants.front());
    EXPECT_EQ(entry.variant(coding::Coding::br), nullptr);
    EXPECT_EQ(make_variant(entry, coding::Coding::br, std::nullopt).body, nullptr);
}

TEST(Variants, are_made_of_what_is_large_enough_and_not_encoded_yet) {
    config::CacheSettings settings;
    settings.compress_bytes_min = 100;
    settings.compress_best_bytes_min = 1000;
    EXPECT_EQ(codings_for(99, settings).size(), 0U);
    EXPECT_EQ(codings_for(100, settings).size(), 1U);
    EXPECT_EQ(codings_for(1000, settings).size(), 3U);
    settings.compress_bytes_min = 0;
    EXPECT_EQ(codings_for(5000, settings).size(), 0U);
    cache::Entry entry;
    EXPECT_TRUE(may_be_encoded(entry));
    entry.header_lines = "Content-Encoding: gzip\r\n";
    EXPECT_FALSE(may_be_encoded(entry));
    entry.header_lines = "Cache-Control: public, no-transform\r\n";
    EXPECT_FALSE(may_be_encoded(entry));
}

}  // namespace millrace::pipeline
