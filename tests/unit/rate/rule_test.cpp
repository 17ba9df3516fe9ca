// Rules as they are written, whose tokens they are, and what answers say of them.
#include <gtest/gtest.h>

#include "millrace/core/rate.hpp"

namespace millrace::rate {
namespace {

TEST(RateRule, is_read_as_it_is_written) {
    const auto plain = parse_rule("100/second");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->count, 100U);
    EXPECT_EQ(plain->burst, 100U);
    EXPECT_EQ(plain->by, By::key);
    EXPECT_EQ(plain->interval_us(), 10'000);
    const auto full = parse_rule(" 60/minute  burst 10 by claim .tenant ");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->burst, 10U);
    EXPECT_EQ(full->by, By::claim);
    EXPECT_EQ(full->claim, ".tenant");
    EXPECT_EQ(full->interval_us(), 1'000'000);
    EXPECT_TRUE(parse_rule("5/month by all")->quota());
    EXPECT_EQ(parse_rule("7/second")->interval_us(), 142'858) << "rounded up: never more than was promised";
}

TEST(RateRule, what_is_none_is_refused_with_an_example) {
    for (const char* text : {"", "100", "0/second", "x/second", "1/fortnight", "1/second burst", "1/second burst x",
                             "1/day burst 2", "1/second by", "1/second by moon", "1/second by claim", "1/second by ip now",
                             "9999999999/second", "-1/second", "1/second from ip"}) {
        const auto rule = parse_rule(text);
        ASSERT_FALSE(rule) << text;
        EXPECT_NE(rule.error().message.find("100/second burst 200 by ip"), std::string::npos) << text;
    }
    EXPECT_FALSE(parse_plan_rule("10/second"));
    EXPECT_FALSE(parse_plan_rule(": 10/second"));
    const auto plan = parse_plan_rule("free: 10/second by key");
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->plan, "free");
}

std::string subject_of(std::string_view rule, const auth::Identity& identity, std::string_view peer) {
    std::string out;
    append_subject(out, *parse_rule(rule), identity, peer);
    return out;
}

TEST(RateRule, says_whose_tokens_a_request_takes) {
    auth::Identity someone{.role = "member", .claims_json = R"({"tenant":"t1"})", .authenticated = true, .subject = "7"};
    const auth::Identity nobody;
    EXPECT_EQ(subject_of("1/second by all", someone, "192.0.2.1"), "");
    EXPECT_EQ(subject_of("1/second by ip", someone, "192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(subject_of("1/second by ip", someone, "2001:db8:1:2:3::4"), "2001:db8:1:2:");
    EXPECT_EQ(subject_of("1/second by ip", someone, "2001:db8::4"), "2001:db8:");
    EXPECT_EQ(subject_of("1/second by ip", someone, "::1"), ":");
    EXPECT_EQ(subject_of("1/second by ip", someone, "1:2:3:4:5:6:7:8"), "1:2:3:4:");
    EXPECT_EQ(subject_of("1/second by key", someone, "192.0.2.1"), "sub 7");
    EXPECT_EQ(subject_of("1/second by key", nobody, "192.0.2.1"), "ip 192.0.2.1");
    EXPECT_EQ(subject_of("1/second by role", someone, ""), "member");
    EXPECT_EQ(subject_of("1/second by claim tenant", someone, ""), "=\"t1\"");
    EXPECT_EQ(subject_of("1/second by claim tenant", nobody, ""), "-");
}

TEST(RateFields, are_structured_fields) {
    Rule rule = *parse_rule("60/minute by key");
    EXPECT_EQ(policy_item(rule), "\"60/minute by key\";q=60;w=60");
    rule.text = "a\"b\\c";
    std::string state;
    append_state(state, item_of(rule), 3, std::chrono::milliseconds(1500));
    EXPECT_EQ(state, "\"abc\";r=3;t=2");
    state.clear();
    append_state(state, "\"a\"", 0, Duration::zero());
    EXPECT_EQ(state, "\"a\";r=0");
}

}  // namespace
}  // namespace millrace::rate
