// Which values of keys are written as Postgres writes them: others must not be hashed, or triggers and planner would disagree.
#include <gtest/gtest.h>

#include "millrace/core/catalog.hpp"

namespace millrace::catalog {
namespace {

Column column(std::uint32_t type) {
    Column out;
    out.type_oid = out.base_type_oid = type;
    return out;
}

std::string text(std::uint32_t type, std::string_view value) { return key_text(column(type), value).value_or("-"); }

}  // namespace

TEST(KeyText, of_numbers_uuids_and_booleans_is_the_one_that_postgres_prints) {
    for (const std::uint32_t type : {20U, 21U, 23U}) {
        for (const char* same : {"0", "42", "-7", "9223372036854775807"}) EXPECT_EQ(text(type, same), same);
        for (const char* other : {"", "042", "+42", "-0", " 42", "42 ", "0x2a", "4_2", "42.0", "1e3", "99999999999999999999"})
            EXPECT_EQ(text(type, other), "-") << other;
    }
    EXPECT_EQ(text(2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    for (const char* other : {"A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
                              "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"})
        EXPECT_EQ(text(2950, other), "-") << other;
    EXPECT_EQ(text(16, "true"), "true");
    for (const char* other : {"t", "TRUE", "yes", "1", "on"}) EXPECT_EQ(text(16, other), "-") << other;
}

TEST(KeyText, of_texts_is_the_text) {
    EXPECT_EQ(text(25, " A b"), " A b");
    EXPECT_EQ(text(1043, ""), "");
    EXPECT_EQ(text(1042, "a"), "-") << "character(n) is padded";
    EXPECT_EQ(text(1700, "1.0"), "-") << "numeric has many";
    EXPECT_EQ(text(1184, "2026-01-01T00:00:00Z"), "-");
}

// select encode(date_send('2026-11-26'), 'hex'), and so on.
TEST(KeyText, of_dates_is_what_no_datestyle_changes) {
    EXPECT_EQ(text(1082, "2026-11-26"), "00002662");
    EXPECT_EQ(text(1082, "2000-01-01"), "00000000");
    EXPECT_EQ(text(1082, "1999-12-31"), "ffffffff");
    EXPECT_EQ(text(1082, "0001-01-01"), "fff4dbf9");
    for (const char* other : {"2026-02-30", "2026-13-01", "26-11-2026", "2026-11-26 BC", "infinity", "20261126", "0000-01-01"})
        EXPECT_EQ(text(1082, other), "-") << other;
}

TEST(KeyText, of_enums_is_a_label_and_of_domains_nothing) {
    Column mood = column(30'000);
    mood.enum_values = {"good", "bad"};
    EXPECT_EQ(key_text(mood, "good"), "good");
    EXPECT_FALSE(key_text(mood, "Good"));
    Column domain = column(30'001);
    domain.base_type_oid = 23;
    EXPECT_FALSE(key_text(domain, "1"));
    Column represented = column(25);
    represented.represented.emplace();
    EXPECT_FALSE(key_text(represented, "1"));
}

TEST(StateDifference, tells_what_nobody_else_has_told) {
    const State known{"s", "r", {{"a.m", "1"}, {"a.n", "1"}}, "1:1:"};
    State now = known;
    now.snapshot = "9:9:";
    EXPECT_FALSE(difference(known, now, false).anything);
    now.refreshed = {{"a.m", "2"}, {"a.n", "1"}, {"a.new", "1"}};
    EXPECT_EQ(difference(known, now, false).refreshed, std::vector<std::string>{"a.m"});
    EXPECT_FALSE(difference(known, now, false).anything);
    EXPECT_TRUE(difference(known, now, true).refreshed.empty()) << "the event trigger has told";
    now.schema = "other";
    EXPECT_TRUE(difference(known, now, false).anything);
    EXPECT_FALSE(difference(known, now, true).anything);
    now.roles = "other";
    EXPECT_TRUE(difference(known, now, true).anything);
}

}  // namespace millrace::catalog
