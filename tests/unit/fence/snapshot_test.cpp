// Snapshots: their text, what they see, and containment checked against its definition.
#include <gtest/gtest.h>

#include <random>

#include "millrace/core/fence.hpp"

namespace millrace::fence {
namespace {

PgSnapshot snap(std::string_view text) {
    auto snapshot = PgSnapshot::parse(text);
    EXPECT_TRUE(snapshot) << text;
    return snapshot.value_or(PgSnapshot{});
}

// Any snapshot over xids 1..12 that Postgres could give.
PgSnapshot random_snapshot(std::mt19937& random) {
    PgSnapshot snapshot;
    snapshot.xmin = 1 + random() % 6;
    snapshot.xmax = snapshot.xmin + random() % 6;
    for (Xid xid = snapshot.xmin; xid < snapshot.xmax; ++xid)
        if (random() % 2 == 0) snapshot.in_progress.push_back(xid);
    return snapshot;
}

}  // namespace

TEST(Snapshot, parses_what_postgres_prints_and_prints_it_again) {
    for (const char* text : {"10:10:", "10:20:10,14,15", "1:2:1", "18446744073709551614:18446744073709551615:"})
        EXPECT_EQ(snap(text).to_string(), text);
}

TEST(Snapshot, refuses_what_postgres_never_prints) {
    for (const char* text : {"",
                             ":",
                             "::",
                             "10",
                             "10:",
                             "10:20",
                             "0:1:",
                             "10:0:",
                             "20:10:",
                             "10:20:9",
                             "10:20:20",
                             "10:20:12,11",
                             "10:20:11,11",
                             "10:20:11,",
                             "10:20:,11",
                             "10:20:11 ",
                             " 10:20:",
                             "-1:20:",
                             "+1:20:",
                             "10:20:0x1",
                             "99999999999999999999:99999999999999999999:",
                             "a:b:c",
                             "10:20:11;12"})
        EXPECT_FALSE(PgSnapshot::parse(text)) << text;
}

TEST(Snapshot, refuses_an_endless_list) {
    std::string text = "1:1000000:1";
    for (int xid = 2; xid <= 10'000; ++xid) text += ',' + std::to_string(xid);
    EXPECT_TRUE(PgSnapshot::parse(text));
    EXPECT_FALSE(PgSnapshot::parse(text + ",10001"));
}

TEST(Snapshot, sees_what_had_committed) {
    const auto snapshot = snap("10:20:10,14");
    for (Xid xid : {1, 9, 11, 13, 15, 19}) EXPECT_TRUE(snapshot.sees(xid)) << xid;
    for (Xid xid : {10, 14, 20, 21}) EXPECT_FALSE(snapshot.sees(xid)) << xid;
}

TEST(Snapshot, containment_is_what_its_definition_says) {
    std::mt19937 random(7);
    int contained = 0;
    for (int round = 0; round < 200'000; ++round) {
        const auto a = random_snapshot(random), b = random_snapshot(random);
        bool expected = true;
        for (Xid xid = 1; xid < b.xmax; ++xid) expected = expected && (!b.sees(xid) || a.sees(xid));
        ASSERT_EQ(a.contains(b), expected) << a.to_string() << " contains " << b.to_string();
        contained += expected ? 1 : 0;
    }
    EXPECT_GT(contained, 20'000);
}

TEST(Snapshot, containment_does_not_walk_the_range) {
    EXPECT_FALSE(snap("1:2:").contains(snap("1:18446744073709551615:")));
    EXPECT_TRUE(snap("18446744073709551615:18446744073709551615:").contains(snap("1:2:1")));
}

TEST(Snapshot, the_join_sees_what_either_sees) {
    std::mt19937 random(11);
    for (int round = 0; round < 100'000; ++round) {
        const auto a = random_snapshot(random), b = random_snapshot(random), both = join(a, b);
        for (Xid xid = 1; xid < 14; ++xid) ASSERT_EQ(both.sees(xid), a.sees(xid) || b.sees(xid)) << xid;
        ASSERT_EQ(PgSnapshot::parse(both.to_string()), both) << "in order";
        ASSERT_TRUE(both.contains(a) && both.contains(b));
    }
}

}  // namespace millrace::fence
