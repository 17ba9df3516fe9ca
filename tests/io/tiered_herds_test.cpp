// One reads and the others wait: in a worker, in a process, and across replicas.
#include <gtest/gtest.h>

#include "tiered_cache_fixture.hpp"

namespace millrace::app {

using TieredHerdsTest = TieredCacheTest;

namespace {

asio::awaitable<void> ask(TieredCache& cache, Duration timeout, std::vector<std::string>& outcomes) {
    const Ask how{net::wall_now()};
    const auto turn = co_await cache.take_turn("key", how, within(timeout));
    outcomes.push_back(turn.ticket ? "ticket" : turn.found.entry ? *turn.found.entry->body : "alone");
}

asio::awaitable<void> wait_for_other(TieredCache& cache, std::optional<TieredCache::Shared>& got) {
    const Ask how{net::wall_now()};
    TieredCache::Search search{within(10s), 10s};
    got = co_await cache.find_shared("key", how, std::move(search));
}

}  // namespace

TEST_F(TieredHerdsTest, one_fills_and_the_others_wait_for_it) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
    ASSERT_TRUE(first.ticket);
    for (int i = 0; i < 50; ++i) tasks.spawn("ask", ask(*a, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 50ms));
    EXPECT_EQ(a->fills_in_flight(), 1U);
    const auto entry = entry_of("one", 100);
    a->put("key", entry);
    a->fill(std::move(first.ticket), entry);
    ASSERT_TRUE(until([&] { return outcomes.size() == 50; }));
    EXPECT_EQ(std::ranges::count(outcomes, "one"), 50);
    EXPECT_EQ(a->fills_in_flight(), 0U);
    EXPECT_EQ(memory(*a), "one");
}

TEST_F(TieredHerdsTest, when_the_filler_goes_another_takes_its_place) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    {
        const auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
        for (int i = 0; i < 3; ++i) tasks.spawn("ask", ask(*a, 5s, outcomes));
        ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 50ms));
    }
    ASSERT_TRUE(until([&] { return outcomes.size() == 3; }));
    EXPECT_EQ(std::ranges::count(outcomes, "ticket"), 3) << "each in its turn: none of them fills";
    EXPECT_TRUE(support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s))).ticket);
}

TEST_F(TieredHerdsTest, nobody_waits_for_what_proved_not_to_be_kept) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
    for (int i = 0; i < 3; ++i) tasks.spawn("ask", ask(*a, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 50ms));
    a->remember_unkept("key", net::wall_now());
    a->fill(std::move(first.ticket), nullptr);
    ASSERT_TRUE(until([&] { return outcomes.size() == 3; }));
    EXPECT_EQ(std::ranges::count(outcomes, "alone"), 3);
    EXPECT_TRUE(a->unkept("key", net::wall_now()));
    EXPECT_FALSE(a->unkept("key", net::wall_now() + 2s));
    a->put("key", entry_of("one", 100));
    EXPECT_FALSE(a->unkept("key", net::wall_now())) << "it is kept after all";
}

TEST_F(TieredHerdsTest, waiting_ends_with_the_deadline) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    const auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
    tasks.spawn("ask", ask(*a, 20ms, outcomes));
    ASSERT_TRUE(until([&] { return outcomes.size() == 1; }, 2s));
    EXPECT_EQ(outcomes.front(), "alone");
}

TEST_F(TieredHerdsTest, what_was_invalidated_during_the_fill_is_read_again) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
    tasks.spawn("ask", ask(*a, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 20ms));
    a->invalidate({{"api.products"}, 105});
    a->fill(std::move(first.ticket), entry_of("one", 104));
    ASSERT_TRUE(until([&] { return outcomes.size() == 1; }));
    EXPECT_EQ(outcomes.front(), "ticket");
}

TEST_F(TieredHerdsTest, workers_of_a_process_share_one_fill) {
    const auto fills = std::make_shared<FillTable>();
    const auto a = worker(1, nullptr, fills), b = worker(1, nullptr, fills), elsewhere = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", {net::wall_now()}, within(5s)));
    EXPECT_FALSE(b->try_ticket("key"));
    EXPECT_TRUE(elsewhere->try_ticket("key"));
    tasks.spawn("ask", ask(*b, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 20ms));
    a->fill(std::move(first.ticket), entry_of("one", 100));
    ASSERT_TRUE(until([&] { return outcomes.size() == 1; }));
    EXPECT_EQ(outcomes.front(), "one");
    EXPECT_EQ(memory(*b), "one") << "kept there too";
}

TEST_F(TieredHerdsTest, one_replica_reads_and_the_others_get_what_it_stored) {
    const auto a = worker(), b = worker();
    auto reading = search(*a);
    EXPECT_TRUE(reading.reads);
    EXPECT_TRUE(reading.lease);
    const auto refresh = search(*b);
    EXPECT_FALSE(refresh.reads) << "who need not wait leaves it to the other";
    std::optional<TieredCache::Shared> got;
    tasks.spawn("wait", wait_for_other(*b, got));
    ASSERT_FALSE(until([&] { return got.has_value(); }, 50ms));
    a->put("key", entry_of("one", 100));
    reading = {};
    ASSERT_TRUE(until([&] { return got.has_value(); }));
    EXPECT_FALSE(got->reads);
    EXPECT_FALSE(got->lease);
    EXPECT_EQ(*got->found.entry->body, "one");
    EXPECT_GE(observer.count<events::CacheLease>(), 2U);
}

TEST_F(TieredHerdsTest, a_lease_that_is_given_back_is_anothers) {
    const auto a = worker(), b = worker();
    auto reading = search(*a);
    ASSERT_TRUE(reading.lease);
    reading = {};
    EXPECT_TRUE(search(*b).lease);
}

TEST_F(TieredHerdsTest, a_lease_ends_by_itself_and_is_not_given_back_by_who_lost_it) {
    settings.lease_ms = 50;
    const auto a = worker(), b = worker();
    auto lost = search(*a);
    ASSERT_TRUE(lost.lease);
    const auto overtaken = search(*b, 5s);
    EXPECT_TRUE(overtaken.reads);
    EXPECT_TRUE(overtaken.lease);
    settings.lease_ms = 60'000;
    const auto c = worker();
    auto held = search(*c, 5s);
    ASSERT_TRUE(held.lease);
    lost = {};
    EXPECT_EQ(command({"EXISTS", name_of("lease:key")}).integer, 1) << "another's";
}

TEST_F(TieredHerdsTest, waiting_for_another_replica_is_bounded) {
    const auto a = worker(), b = worker();
    const auto reading = search(*a);
    ASSERT_TRUE(reading.lease);
    const TimePoint before = net::now();
    const auto waited = search(*b, 100ms);
    EXPECT_GE(net::now() - before, 100ms);
    EXPECT_TRUE(waited.reads) << "the database then";
    EXPECT_FALSE(waited.lease);
}

TEST_F(TieredHerdsTest, without_leases_everybody_reads) {
    settings.lease_ms = 0;
    const auto a = worker(), b = worker();
    EXPECT_TRUE(search(*a).reads);
    EXPECT_TRUE(search(*b, 1s).reads);
    a->put("key", entry_of("one", 100));
    EXPECT_FALSE(search(*b).reads);
}

TEST_F(TieredHerdsTest, an_entry_that_will_not_do_is_waited_past) {
    const auto a = worker();
    const auto old = entry_of("old", 100);
    a->put("key", old);
    const auto renewing = search(*a, {}, cache::order_of(*old));
    EXPECT_TRUE(renewing.reads);
    EXPECT_TRUE(renewing.lease);
    a->put("key", entry_of("new", 101));
    EXPECT_EQ(*search(*a, {}, cache::order_of(*old)).found.entry->body, "new");
}

}  // namespace millrace::app
