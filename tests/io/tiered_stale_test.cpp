// What is given although it may hold no longer, and what is renewed before it ends.
#include <gtest/gtest.h>

#include "tiered_cache_fixture.hpp"

namespace millrace::app {

using TieredStaleTest = TieredCacheTest;

TEST_F(TieredStaleTest, stale_answers_are_given_within_the_routes_windows) {
    const cache::StaleWindows windows{10s, 60s};
    const auto a = worker();
    a->put("key", entry_of("one", 100), {}, windows);
    const WallTime now = net::wall_now();
    EXPECT_EQ(a->find_memory("key", {now + 5s, windows}).use, cache::Use::fresh) << "known to hold at that moment";
    a->invalidate({{"api.products"}, 105});
    const auto use_at = [&](Duration after) { return a->find_memory("key", {now + after, windows}).use; };
    EXPECT_EQ(use_at(15s), cache::Use::stale);
    EXPECT_EQ(use_at(16s), cache::Use::spare);
    EXPECT_EQ(use_at(66s), cache::Use::none);
    EXPECT_EQ(a->find_memory("key", {now + 6s}).use, cache::Use::none) << "a route that allows none";
    EXPECT_EQ(a->find_memory("key", {now + 6s, windows, 105}).use, cache::Use::none) << "the caller has seen more";
    EXPECT_EQ(a->find_memory("key", {now + 6s, windows, 105}).reason, events::CacheReason::token);
}

TEST_F(TieredStaleTest, redis_keeps_an_entry_for_as_long_as_it_may_be_given) {
    const cache::StaleWindows windows{10s, 60s};
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100, 5s), {}, windows);
    EXPECT_GT(command({"PTTL", name_of("key")}).integer, 60'000);
    b->invalidate({{"api.products"}, 105});
    const auto stale = shared(*b, "key", windows);
    EXPECT_EQ(stale.use, cache::Use::stale);
    EXPECT_EQ(stale.result, CacheResult::stale_redis);
    EXPECT_EQ(shared(*b).use, cache::Use::none);
}

TEST_F(TieredStaleTest, while_unfenced_an_entry_of_either_tier_is_a_spare) {
    const cache::StaleWindows windows{{}, 60s};
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100), {}, windows);
    for (auto* cache : {a.get(), b.get()}) cache->unfence();
    EXPECT_EQ(spare(*a, windows).use, cache::Use::spare);
    EXPECT_EQ(spare(*b, windows).use, cache::Use::spare) << "from Redis";
    EXPECT_EQ(spare(*b, {10s, {}}).use, cache::Use::none);
    EXPECT_FALSE(a->find_memory("key", {net::wall_now(), windows}).answers());
}

TEST_F(TieredStaleTest, what_is_purged_hard_is_not_even_a_spare) {
    const cache::StaleWindows windows{10s, 60s};
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100), {}, windows);
    for (auto* cache : {a.get(), b.get()}) cache->invalidate(*fence::parse_invalidation("105 !api.products"));
    EXPECT_EQ(a->find_memory("key", {net::wall_now(), windows}).use, cache::Use::none);
    EXPECT_EQ(spare(*a, windows).use, cache::Use::none);
    EXPECT_EQ(shared(*b, "key", windows).use, cache::Use::none);
}

TEST_F(TieredStaleTest, a_dear_answer_is_renewed_before_it_ends) {
    const auto a = worker();
    a->put("key", entry_of("one", 100, 10s), 2s);
    int early = 0;
    const WallTime now = net::wall_now();
    for (int i = 0; i < 1'000; ++i) early += a->find_memory("key", {now + 9s}).early ? 1 : 0;
    EXPECT_GT(early, 400) << "a second before its end: e^-0.5";
    EXPECT_LT(early, 800);
    settings.early_refresh = false;
    const auto b = worker();
    b->put("key", entry_of("one", 100, 10s), 2s);
    for (int i = 0; i < 1'000; ++i) ASSERT_FALSE(b->find_memory("key", {now + 9s}).early);
}

}  // namespace millrace::app
