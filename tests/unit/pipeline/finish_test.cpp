// Entries as replies, and which requests mean the same work.
#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

cache::Entry entry_of(std::string body) {
    cache::Entry entry;
    entry.header_lines = "Content-Type: application/json; charset=utf-8\r\nETag: \"abc\"\r\nVary: Accept\r\n";
    entry.body = std::make_shared<const std::string>(std::move(body));
    entry.stored = WallTime{std::chrono::seconds{1000}};
    return entry;
}

message::Request request_for(std::string_view target, std::vector<message::Header> headers = {}) {
    message::Request request;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.headers = std::move(headers);
    return request;
}

std::string key_of(const message::Request& request) {
    std::string key;
    std::vector<std::string> values;
    append_remember_key(key, request, values);
    for (const std::string& value : values) key += value + ' ';
    return key;
}

std::vector<std::string> values_of(std::string_view target) {
    std::string key;
    std::vector<std::string> values;
    append_remember_key(key, request_for(target), values);
    return values;
}

}  // namespace

TEST(FromEntry, says_its_age_in_whole_seconds) {
    const auto reply = from_entry(entry_of("[]"), WallTime{std::chrono::milliseconds{1007'900}});
    EXPECT_EQ(reply.headers.get("Age"), "7");
    EXPECT_EQ(reply.headers.get("ETag"), "\"abc\"");
    EXPECT_EQ(reply.body.view(), "[]");
}

TEST(FromEntry, a_clock_that_went_back_makes_no_negative_age) {
    EXPECT_EQ(from_entry(entry_of("[]"), WallTime{}).headers.get("Age"), "0");
}

TEST(Remember, what_decides_an_answer_is_in_the_key) {
    const std::string plain = key_of(request_for("/v1/a?id=eq.1"));
    EXPECT_EQ(plain, key_of(request_for("/v1/a?id=eq.1", {{"User-Agent", "x"}})));
    EXPECT_NE(plain, key_of(request_for("/v1/a?id=eq.2")));
    for (const char* field : {"accept", "Prefer", "RANGE", "Range-Unit", "Accept-Profile"})
        EXPECT_NE(plain, key_of(request_for("/v1/a?id=eq.1", {{field, "x"}}))) << field;
    EXPECT_NE(key_of(request_for("/v1/a", {{"Accept", "x"}})), key_of(request_for("/v1/a", {{"Prefer", "x"}})));
}

TEST(Remember, requests_that_differ_in_plain_values_have_one_shape) {
    using Values = std::vector<std::string>;
    EXPECT_EQ(values_of("/v1/a?id=eq.42&select=id"), Values{"42"});
    EXPECT_EQ(values_of("/v1/a?id=gte.1&name=lt.x-y:z_1.5"), (Values{"1", "x-y:z_1.5"}));
    std::string one, other;
    Values first, second;
    append_remember_key(one, request_for("/v1/a?id=eq.1"), first);
    append_remember_key(other, request_for("/v1/a?id=eq.2"), second);
    EXPECT_EQ(one, other);
    EXPECT_NE(first, second);
}

TEST(Remember, what_is_no_plain_value_stays_in_the_shape) {
    for (const char* query : {"select=eq.1", "limit=eq.1", "order=eq.1", "or=eq.1", "rel.id=eq.1", "a->>b=eq.1", "id=in.(1,2)",
                              "id=not.eq.1", "id=eq(any).{1}", "id=like.a", "id=is.null", "id=eq.", "id=eq.a%20b", "id=eq.a+b",
                              "id=eq.1&x=like.%010%01", "id", "=eq.1", ""})
        EXPECT_TRUE(values_of("/v1/a?" + std::string(query)).empty()) << query;
    EXPECT_TRUE(values_of("/v1/a?id=eq." + std::string(65, 'a')).empty());
    EXPECT_NE(key_of(request_for("/v1/a?id=eq.a%20b")), key_of(request_for("/v1/a?id=eq.a%20c")));
}

TEST(Remember, a_key_of_the_cache_has_the_values_in_canonical_order) {
    CachePlan plan;
    plan.key = "k";
    plan.value_order = {1, 0};
    const std::vector<std::string> values = {"a", "b"};
    EXPECT_EQ(cache_key(plan, values), "k b a");
    plan.value_order.clear();
    EXPECT_EQ(cache_key(plan, {}), "k");
}

TEST(Remember, only_anonymous_reads_are_rememberable) {
    auth::Identity somebody;
    somebody.authenticated = true;
    message::Request request = request_for("/v1/a");
    EXPECT_TRUE(rememberable(request, {}));
    EXPECT_FALSE(rememberable(request, somebody));
    request.method = message::Method::post;
    EXPECT_FALSE(rememberable(request, {}));
    EXPECT_FALSE(rememberable(request_for(std::string(2000, 'a')), {}));
}

}  // namespace millrace::pipeline
