// What an entry may be used for as it grows old, which of two is the later, and what a herd does.
#include <gtest/gtest.h>

#include "millrace/core/cache.hpp"

namespace millrace::cache {
namespace {

using namespace std::chrono_literals;

const WallTime stored = WallTime(1'000'000s);

Entry entry_at(fence::PgSnapshot snapshot = {100, 100, {}}) {
    Entry entry;
    entry.stored = stored;
    entry.fresh_for = 30s;
    entry.snapshot = std::move(snapshot);
    return entry;
}

constexpr StaleWindows windows{10s, 60s};

Standing standing(bool fenced, bool valid, WallTime known_valid) {
    Standing out;
    out.fenced = fenced;
    out.valid = valid;
    out.known_valid = known_valid;
    return out;
}

Use use(const Standing& standing, Duration after, const StaleWindows& allowed = windows) {
    return judge(entry_at(), standing, allowed, stored + after);
}

}  // namespace

TEST(Judge, an_entry_ends_by_its_time_though_it_is_valid) {
    const WallTime long_after = stored + 1h;  // valid all the time
    EXPECT_EQ(use(standing(true, true, long_after), 29s), Use::fresh);
    EXPECT_EQ(use(standing(true, true, long_after), 30s), Use::stale);
    EXPECT_EQ(use(standing(true, true, long_after), 40s), Use::stale);
    EXPECT_EQ(use(standing(true, true, long_after), 41s), Use::spare);
    EXPECT_EQ(use(standing(true, true, long_after), 90s), Use::spare);
    EXPECT_EQ(use(standing(true, true, long_after), 91s), Use::none);
}

TEST(Judge, what_is_invalid_counts_from_when_it_was_last_known_to_hold) {
    EXPECT_EQ(use(standing(true, false, stored + 5s), 15s), Use::stale);
    EXPECT_EQ(use(standing(true, false, stored + 5s), 16s), Use::spare);
    EXPECT_EQ(use(standing(true, false, stored + 5s), 65s), Use::spare);
    EXPECT_EQ(use(standing(true, false, stored + 5s), 66s), Use::none);
    EXPECT_EQ(use(standing(true, false, WallTime{}), 1s), Use::none);
}

TEST(Judge, unfenced_it_is_a_spare_at_most) {
    EXPECT_EQ(use(standing(false, true, stored + 5s), 6s), Use::spare);
    EXPECT_EQ(use(standing(false, true, stored + 5s), 66s), Use::none);
}

TEST(Judge, a_route_that_allows_nothing_stale_gets_nothing_stale) {
    EXPECT_EQ(use(standing(true, false, stored + 5s), 5s, {}), Use::none);
    EXPECT_EQ(use(standing(false, true, stored + 5s), 5s, {}), Use::none);
    EXPECT_EQ(use(standing(true, true, stored + 5s), 30s, {}), Use::none);
}

TEST(Judge, neither_the_purged_nor_what_lacks_the_callers_own_writes_is_given_stale) {
    Standing purged = standing(true, false, stored);
    purged.purged = true;
    EXPECT_EQ(use(purged, 1s), Use::none);
    Standing unseen = standing(true, true, stored);
    unseen.sees_token = false;
    EXPECT_EQ(use(unseen, 1s), Use::none);
}

TEST(Judge, a_moment_too_far_ahead_is_nonsense) {
    EXPECT_EQ(use(standing(true, true, stored), -29s), Use::fresh);
    EXPECT_EQ(use(standing(true, true, stored), -1h), Use::none);
}

TEST(RefreshEarly, begins_the_likelier_the_nearer_the_end) {
    const Entry entry = entry_at();
    const auto at = [&](Duration left, double chance) {
        return refresh_early(entry, 100ms, stored + 30s - left, [=] { return chance; });
    };
    EXPECT_FALSE(at(10s, 1e-6)) << "far from the end nobody does";
    EXPECT_TRUE(at(100ms, 0.3));
    EXPECT_FALSE(at(100ms, 0.4));
    EXPECT_TRUE(at(1s, 1e-5));
    EXPECT_FALSE(at(1s, 0.1));
    EXPECT_FALSE(refresh_early(entry, 0ms, stored + 29s, [] { return 1e-9; })) << "nothing is known of the cost";
}

TEST(OrderOf, is_that_of_containment_and_then_of_time) {
    const std::string old = order_of(entry_at({100, 100, {}})), with_open = order_of(entry_at({100, 110, {100, 105}}));
    const std::string closed = order_of(entry_at({105, 110, {105}})), all = order_of(entry_at({110, 110, {}}));
    EXPECT_LT(old, with_open);
    EXPECT_LT(with_open, closed);
    EXPECT_LT(closed, all);
    EXPECT_EQ(all.size(), order_bytes);
    Entry later = entry_at({110, 110, {}});
    later.stored += 1s;
    EXPECT_LT(all, order_of(later));
}

TEST(AfterAsking, one_fills_and_the_others_ask_until_they_have_waited_enough) {
    EXPECT_EQ(after_asking(true, true, 0ms, 1s), Next::give);
    EXPECT_EQ(after_asking(false, true, 0ms, 1s), Next::fill);
    EXPECT_EQ(after_asking(false, false, 999ms, 1s), Next::ask_again);
    EXPECT_EQ(after_asking(false, false, 1s, 1s), Next::fill_anyway);
    EXPECT_EQ(pause_before(0), 1ms);
    EXPECT_EQ(pause_before(2), 4ms);
    EXPECT_EQ(pause_before(1'000), 25ms);
}

TEST(Unkept, is_remembered_for_its_time) {
    Unkept unkept;
    EXPECT_FALSE(unkept.holds("a", stored));
    unkept.add("a", stored + 1s);
    EXPECT_TRUE(unkept.holds("a", stored));
    EXPECT_FALSE(unkept.holds("b", stored));
    EXPECT_FALSE(unkept.holds("a", stored + 1s));
    unkept.add("a", stored + 9s);
    unkept.remove("a");
    EXPECT_FALSE(unkept.holds("a", stored));
}

TEST(CompareRows, knows_no_order_and_no_limits_choice) {
    EXPECT_EQ(compare_rows("[1,2]", "[1,2]", {}), RowsComparison::same);
    EXPECT_EQ(compare_rows(R"([{"a":1}, {"a":2}])", R"([{"a":2},{"a":1}])", {}), RowsComparison::same);
    EXPECT_EQ(compare_rows("a,b\n1,2\n3,4", "a,b\n3,4\n1,2", {}), RowsComparison::same);
    EXPECT_EQ(compare_rows("[1,2]", "[1,2,2]", {}), RowsComparison::different);
    EXPECT_EQ(compare_rows("[1]", "[2]", 10), RowsComparison::different);
    EXPECT_EQ(compare_rows("[1,2]", "[1,3]", 2), RowsComparison::open);
    EXPECT_EQ(compare_rows("[]", "[1]", 1), RowsComparison::different) << "the limit cut nothing from the first";
}

}  // namespace millrace::cache
