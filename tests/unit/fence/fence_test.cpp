// The rule of validity, case by case; simulation_test.cpp has the histories.
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "millrace/core/fence.hpp"

namespace millrace::fence {
namespace {

PgSnapshot snap(std::string_view text) { return PgSnapshot::parse(text).value(); }

const std::vector<Tag> orders = {"api.orders"}, both = {"api.items", "api.orders"};

// Fenced, with everything before xid 100 seen.
struct Fenced : testing::Test {
    Fence fence;
    Fenced() { fence.gap(snap("100:100:")); }
    [[nodiscard]] bool valid(std::string_view snapshot, const std::vector<Tag>& tags = orders) const {
        return fence.valid(snap(snapshot), tags);
    }
};

using FenceRule = Fenced;
using FenceBounds = Fenced;

}  // namespace

TEST(Fence, nothing_is_valid_before_the_first_gap_ends_and_after_unfence) {
    Fence fence;
    EXPECT_FALSE(fence.valid(snap("500:500:"), orders));
    fence.gap(snap("100:100:"));
    EXPECT_TRUE(fence.valid(snap("500:500:"), orders));
    fence.unfence();
    EXPECT_FALSE(fence.valid(snap("500:500:"), orders));
}

TEST_F(FenceRule, an_entry_must_contain_the_floor_whatever_its_tags) {
    EXPECT_FALSE(valid("99:99:"));
    EXPECT_FALSE(fence.valid(snap("99:99:"), {}));
    EXPECT_TRUE(valid("100:100:"));
    EXPECT_FALSE(valid("90:120:99")) << "does not see 99, which the floor sees";
    EXPECT_TRUE(valid("100:120:100,110"));
}

TEST_F(FenceRule, an_entry_must_see_every_xid_that_invalidated_its_tags) {
    fence.invalidate({{"api.orders"}, 120});
    EXPECT_FALSE(valid("110:110:"));
    EXPECT_TRUE(valid("110:110:", {"api.items"}));
    EXPECT_FALSE(valid("110:110:", both));
    EXPECT_FALSE(valid("110:130:120")) << "120 was in progress";
    EXPECT_TRUE(valid("121:121:"));
}

TEST_F(FenceRule, an_open_write_transaction_that_holds_xmin_back_does_not_matter) {
    fence.gap(snap("100:110:100"));
    for (Xid xid = 120; xid < 200; ++xid) {
        fence.invalidate({{"api.orders"}, xid});
        EXPECT_FALSE(fence.valid(PgSnapshot{100, xid, {100}}, orders)) << xid;
        EXPECT_TRUE(fence.valid(PgSnapshot{100, xid + 1, {100}}, orders)) << xid;
        if (xid % 5 == 0) fence.heartbeat(PgSnapshot{100, xid + 1, {100}});
    }
    fence.invalidate({{"api.orders"}, 100});
    EXPECT_FALSE(valid("100:300:100"));
    EXPECT_TRUE(valid("300:300:"));
}

TEST_F(FenceRule, commit_order_need_not_be_xid_order) {
    fence.invalidate({{"api.orders"}, 150});
    fence.invalidate({{"api.orders"}, 120});
    EXPECT_FALSE(valid("120:151:120"));
    EXPECT_FALSE(valid("121:149:"));
    EXPECT_TRUE(valid("130:160:130"));
}

TEST_F(FenceRule, the_same_invalidation_again_changes_nothing) {
    fence.invalidate({{"api.orders"}, 120});
    for (int i = 0; i < 500; ++i) fence.invalidate({{"api.orders"}, 120});
    EXPECT_TRUE(valid("110:130:110")) << "110 is open, and never wrote";
    fence.heartbeat(snap("130:130:"));
    fence.invalidate({{"api.orders"}, 120});
    EXPECT_TRUE(valid("121:121:")) << "the floor was not raised for it";
}

TEST_F(FenceRule, one_invalidation_touches_all_its_tags) {
    fence.invalidate({both, 120});
    EXPECT_FALSE(valid("110:110:", {"api.items"}));
    EXPECT_FALSE(valid("110:110:"));
    EXPECT_EQ(fence.tags(), 2U);
}

TEST_F(FenceRule, what_leaves_the_ring_is_covered_by_the_heartbeat_that_saw_it) {
    for (Xid xid = 101; xid <= 108; ++xid) fence.invalidate({{"api.orders"}, xid});
    fence.heartbeat(snap("109:109:"));
    fence.invalidate({{"api.orders"}, 120});
    EXPECT_FALSE(valid("105:130:105")) << "105 left the ring, the floor remembers";
    EXPECT_TRUE(valid("110:130:110"));
}

TEST_F(FenceRule, what_no_heartbeat_has_seen_stays_however_many) {
    for (Xid xid = 101; xid <= 400; ++xid) fence.invalidate({{"api.orders"}, xid});
    for (Xid unseen = 101; unseen <= 400; ++unseen) EXPECT_FALSE(fence.valid(PgSnapshot{unseen, 401, {unseen}}, orders));
    EXPECT_TRUE(valid("401:401:"));
    fence.heartbeat(snap("401:401:"));
    EXPECT_FALSE(valid("400:401:400"));
    EXPECT_TRUE(valid("401:410:405"));
}

TEST_F(FenceRule, a_heartbeat_from_before_an_invalidation_does_not_cover_it) {
    for (Xid xid = 101; xid <= 300; ++xid) fence.invalidate({{"api.orders"}, xid});
    fence.heartbeat(snap("150:301:150"));
    fence.invalidate({{"api.orders"}, 310});
    EXPECT_FALSE(valid("150:320:150"));
    EXPECT_FALSE(fence.valid(snap("200:320:200"), orders));
}

TEST_F(FenceRule, a_gap_keeps_what_its_snapshot_does_not_see) {
    fence.invalidate({{"api.orders"}, 120});
    fence.invalidate({{"api.items"}, 110});
    fence.gap(snap("119:130:120"));
    EXPECT_EQ(fence.tags(), 1U);
    EXPECT_FALSE(valid("119:130:120"));
    EXPECT_TRUE(valid("119:130:120", {"api.items"}));
    EXPECT_TRUE(valid("130:130:"));
}

TEST_F(FenceRule, what_arrives_while_unfenced_counts_afterwards) {
    fence.unfence();
    fence.invalidate({{"api.orders"}, 50});  // below the old floor: xids may be used again after a failover
    fence.gap(snap("40:60:50"));
    EXPECT_FALSE(valid("50:60:50"));
    EXPECT_TRUE(valid("60:60:"));
}

TEST_F(FenceRule, a_gap_that_ends_with_an_older_snapshot_lowers_nothing) {
    fence.gap(snap("200:200:"));
    fence.gap(snap("150:150:"));
    EXPECT_FALSE(valid("150:150:"));
    EXPECT_EQ(fence.latest().to_string(), "200:200:");
}

TEST_F(FenceRule, another_timeline_starts_from_nothing) {
    for (Xid xid = 101; xid < 300; ++xid) fence.invalidate({{"api.orders"}, xid});
    fence.forget();
    EXPECT_FALSE(valid("900:900:"));
    EXPECT_EQ(fence.tags(), 0U);
    fence.gap(snap("50:50:"));
    EXPECT_TRUE(valid("50:50:"));
    EXPECT_EQ(fence.latest().to_string(), "50:50:");
}

TEST_F(FenceRule, latest_is_the_newest_snapshot_heard_of) {
    fence.heartbeat(snap("140:150:140"));
    fence.heartbeat(snap("120:130:120"));
    EXPECT_EQ(fence.latest().to_string(), "140:150:140");
}

TEST(FenceTags, are_bounded_and_folding_them_keeps_newer_entries) {
    Fence fence(100);
    fence.gap(snap("1:1:"));
    Xid xid = 1;
    for (int i = 0; i < 10'000; ++i, ++xid) {
        const Tag tag = "t" + std::to_string(i);
        fence.invalidate({{tag}, xid});
        EXPECT_FALSE(fence.valid(PgSnapshot{xid, xid, {}}, std::vector<Tag>{tag}));
        if (i % 10 == 0) fence.heartbeat(PgSnapshot{xid + 1, xid + 1, {}});
        ASSERT_LE(fence.tags(), 100U);
    }
    EXPECT_TRUE(fence.valid(PgSnapshot{xid - 40, xid - 40, {}}, orders)) << "only the older half was folded";
    EXPECT_FALSE(fence.valid(PgSnapshot{5'000, xid, {5'000}}, std::vector<Tag>{"t4999"}));
}

TEST(FenceTags, without_heartbeats_are_forgotten_only_at_the_cost_of_all_entries_that_may_not_see_them) {
    Fence fence(100);
    fence.gap(snap("1:1:"));
    for (Xid xid = 1; xid <= 1'000; ++xid) fence.invalidate({{"t" + std::to_string(xid)}, xid});
    EXPECT_LE(fence.tags(), 100U);
    EXPECT_FALSE(fence.valid(snap("500:1001:500"), std::vector<Tag>{"t500"}));
    EXPECT_FALSE(fence.valid(snap("500:1001:500"), orders));
    EXPECT_TRUE(fence.valid(snap("1001:1001:"), orders));
    fence.heartbeat(snap("950:1001:950"));  // 950 is open still; what had to be forgotten is seen
    EXPECT_FALSE(fence.valid(snap("500:1001:500"), std::vector<Tag>{"t500"}));
    EXPECT_TRUE(fence.valid(snap("950:1002:950"), orders));
}

TEST_F(FenceRule, everything_is_what_every_entry_depends_on) {
    fence.invalidate({{"*"}, 120});
    EXPECT_FALSE(valid("110:110:"));
    EXPECT_FALSE(fence.valid(snap("110:110:"), {}));
    EXPECT_TRUE(valid("121:121:"));
    EXPECT_EQ(fence.tags(), 0U) << "it takes no place from the tags";
    for (Xid xid = 130; xid < 400; ++xid) fence.invalidate({{"*"}, xid});
    for (Xid xid = 130; xid < 400; ++xid) EXPECT_FALSE(fence.valid(PgSnapshot{xid, 500, {xid}}, orders)) << xid;
    fence.gap(snap("400:400:"));
    EXPECT_TRUE(valid("400:400:"));
    fence.heartbeat(snap("410:410:"));
    EXPECT_TRUE(valid("400:400:")) << "the gap's floor has settled them all";
}

TEST_F(FenceRule, another_timeline_forgets_what_everything_depended_on) {
    fence.invalidate({{"*"}, 500});
    fence.forget();
    fence.gap(snap("50:50:"));
    EXPECT_TRUE(valid("50:50:"));
}

TEST_F(FenceRule, the_version_changes_with_whatever_may_end_an_entry) {
    std::uint64_t last = fence.version();
    const auto changed = [&] { return std::exchange(last, fence.version()) != fence.version(); };
    EXPECT_FALSE(changed());
    fence.invalidate({{"api.orders"}, 120});
    EXPECT_TRUE(changed());
    fence.invalidate({{"api.orders"}, 120});
    fence.invalidate({{"api.orders"}, 99});
    EXPECT_FALSE(changed()) << "nothing new in it";
    fence.invalidate({{"*"}, 121});
    EXPECT_TRUE(changed());
    fence.heartbeat(snap("130:130:"));
    EXPECT_FALSE(changed());
    fence.unfence();
    EXPECT_TRUE(changed());
    fence.unfence();
    EXPECT_FALSE(changed());
    fence.gap(snap("131:131:"));
    EXPECT_TRUE(changed());
    fence.forget();
    EXPECT_TRUE(changed());
}

// As the header says of heartbeats: one that settles a range puts a floor in its place, and that may end an entry.
TEST_F(FenceRule, the_version_changes_with_a_heartbeat_that_ends_an_entry) {
    for (Xid xid = 101; xid <= 400; ++xid) fence.invalidate({{"api.orders"}, xid});
    const PgSnapshot entry = snap("100:402:100");  // 100 is open, and never wrote
    ASSERT_TRUE(fence.valid(entry, orders));
    const std::uint64_t before = fence.version();
    fence.heartbeat(snap("402:402:"));
    EXPECT_FALSE(fence.valid(entry, orders));
    EXPECT_NE(fence.version(), before);
}

TEST_F(FenceRule, a_memory_of_the_version_is_never_wrong) {
    std::minstd_rand random(5);
    Fence bounded(6, 1, 1);
    bounded.gap(snap("1:1:"));
    std::vector<std::pair<PgSnapshot, std::vector<Tag>>> entries;
    for (Xid xid = 1; xid < 400; ++xid) {
        PgSnapshot now{xid, xid, {}};
        if (xid > 3 && random() % 3 == 0) now = {xid - 3, xid, {xid - 3}};
        entries.emplace_back(now, std::vector<Tag>{"t" + std::to_string(random() % 8)});
        std::vector<bool> held;
        for (const auto& [snapshot, tags] : entries) held.push_back(bounded.valid(snapshot, tags));
        const std::uint64_t version = bounded.version();
        if (random() % 4 == 0)
            bounded.heartbeat(now);
        else
            bounded.invalidate({{"t" + std::to_string(random() % 8)}, xid});
        if (bounded.version() != version) continue;
        for (std::size_t i = 0; i < entries.size(); ++i)
            ASSERT_TRUE(!held[i] || bounded.valid(entries[i].first, entries[i].second)) << "xid " << xid;
    }
}

TEST_F(FenceRule, a_hard_purge_forbids_what_was_read_before_it) {
    EXPECT_FALSE(fence.purged(snap("110:110:"), orders));
    fence.invalidate({{"api.orders"}, 115});
    EXPECT_FALSE(fence.purged(snap("110:110:"), orders)) << "invalid, but not purged";
    fence.invalidate({{"@v1"}, 120, {"@v1"}});
    EXPECT_TRUE(fence.purged(snap("110:110:"), std::vector<Tag>{"@v1", "api.items"}));
    EXPECT_FALSE(fence.purged(snap("110:110:"), orders));
    EXPECT_FALSE(fence.purged(snap("121:121:"), std::vector<Tag>{"@v1"}));
    fence.invalidate({{"*"}, 130, {"*"}});
    EXPECT_TRUE(fence.purged(snap("125:125:"), orders));
    EXPECT_FALSE(fence.purged(snap("131:131:"), orders));
}

TEST_F(FenceRule, a_hard_purge_may_have_come_while_nobody_listened) {
    EXPECT_TRUE(Fence().purged(snap("900:900:"), orders)) << "never listened";
    fence.unfence();
    EXPECT_FALSE(fence.purged(snap("110:110:"), orders)) << "what it knew, it knows";
    fence.gap(snap("120:120:"));
    EXPECT_TRUE(fence.purged(snap("110:110:"), orders));
    EXPECT_FALSE(fence.purged(snap("120:120:"), orders));
    fence.forget();
    EXPECT_TRUE(fence.purged(snap("900:900:"), orders));
}

TEST(FencePurges, are_bounded_and_then_everything_read_before_one_is_purged) {
    Fence fence(100, 8, 64, 10);
    fence.gap(snap("1:1:"));
    for (Xid xid = 1; xid <= 10; ++xid) {
        const Tag tag = "@v1/" + std::to_string(xid);
        fence.invalidate({{tag}, xid, {tag}});
    }
    EXPECT_FALSE(fence.purged(snap("5:5:"), orders));
    fence.invalidate({{"@v2"}, 11, {"@v2"}});
    EXPECT_TRUE(fence.purged(snap("5:5:"), orders));
    EXPECT_TRUE(fence.purged(snap("11:11:"), orders));
    EXPECT_FALSE(fence.purged(snap("12:12:"), orders));
}

}  // namespace millrace::fence
