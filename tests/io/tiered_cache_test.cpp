// Memory, Redis and the fence together, as several workers see them.
#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"
#include "tiered_cache_fixture.hpp"

namespace millrace::app {

TEST_F(TieredCacheTest, what_one_worker_stores_another_finds_in_redis_and_then_in_memory) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    EXPECT_EQ(memory(*a), "one");
    EXPECT_EQ(memory(*b), "");
    const Lookup found = shared(*b);
    ASSERT_TRUE(found.entry);
    EXPECT_EQ(*found.entry->body, "one");
    EXPECT_EQ(found.entry->header_lines, "Content-Type: application/json\r\n");
    EXPECT_EQ(found.result, CacheResult::hit_redis);
    EXPECT_GT(found.redis, Duration::zero());
    EXPECT_EQ(memory(*b), "one");
    EXPECT_EQ(observer.count<events::CacheFilled>(), 1U);
}

TEST_F(TieredCacheTest, an_entry_in_redis_ends_with_its_time) {
    const auto a = worker();
    a->put("key", entry_of("one", 100, 5s));
    const auto left = command({"PTTL", name_of("key")}).integer;
    EXPECT_GT(left, 3'000);
    EXPECT_LE(left, 5'000);
    EXPECT_EQ(memory(*a, "key", net::wall_now() + 4s), "one");
    EXPECT_EQ(memory(*a, "key", net::wall_now() + 6s), "");
    EXPECT_EQ(memory(*a, "key", net::wall_now() - 1h), "") << "stored farther ahead than it may live";
}

TEST_F(TieredCacheTest, an_invalidated_entry_is_served_from_neither_tier) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    for (auto* cache : {a.get(), b.get()}) cache->invalidate({{"api.products"}, 105});
    EXPECT_EQ(memory(*a), "");
    EXPECT_FALSE(shared(*b).entry);
    EXPECT_EQ(shared(*b).result, CacheResult::miss);
    a->put("key", entry_of("two", 106));
    EXPECT_EQ(*shared(*b).entry->body, "two");
}

TEST_F(TieredCacheTest, what_was_invalidated_while_it_was_read_is_not_stored) {
    const auto a = worker();
    a->put("key", entry_of("two", 106));
    a->invalidate({{"api.products"}, 105});
    a->put("key", entry_of("one", 104));
    EXPECT_EQ(memory(*a), "two");
    const auto b = worker();
    EXPECT_EQ(*shared(*b).entry->body, "two");
}

TEST_F(TieredCacheTest, an_older_answer_does_not_take_the_place_of_a_newer_one) {
    const auto a = worker();
    a->put("key", entry_of("newer", 110));
    a->put("key", entry_of("older", 105));
    EXPECT_EQ(memory(*a), "newer");
    EXPECT_EQ(*shared(*worker()).entry->body, "newer");
    worker()->put("key", entry_of("older", 105));
    EXPECT_EQ(*shared(*worker()).entry->body, "newer") << "whoever stores last, the one that was read later stays in Redis";
    EXPECT_EQ(*shared(*a).entry->body, "newer");
    EXPECT_EQ(memory(*a), "newer");
}

TEST_F(TieredCacheTest, unfenced_it_finds_and_stores_nothing) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    a->unfence();
    EXPECT_EQ(memory(*a), "");
    EXPECT_FALSE(shared(*a).entry);
    a->put("other", entry_of("two", 100));
    EXPECT_FALSE(shared(*b, "other").entry);
    a->gap(at(100), net::now());
    EXPECT_EQ(memory(*a), "one");
    a->gap(at(101), net::now());
    EXPECT_EQ(memory(*a), "");
}

namespace {

cache::Use use_at(TieredCache& cache, TimePoint tick) { return cache.find_memory("key", {net::wall_now(), tick}).use; }

}  // namespace

TEST_F(TieredCacheTest, what_was_proved_is_trusted_for_the_lag_limit_only) {
    const auto a = worker();
    a->put("key", entry_of("one", 100));
    const TimePoint now = net::now();
    const Duration limit = std::chrono::milliseconds(settings.lag_limit_ms);
    a->heartbeat(at(101), now);
    EXPECT_EQ(use_at(*a, now + limit - 1ms), cache::Use::fresh);
    EXPECT_EQ(use_at(*a, now + limit), cache::Use::none) << "nobody has said since that nothing changed";
    a->heartbeat(at(102), now + limit);
    EXPECT_EQ(use_at(*a, now + limit), cache::Use::fresh);
}

// As after SIGSTOP: the beat that is read first was asked for before the pause.
TEST_F(TieredCacheTest, a_proof_counts_from_when_it_was_asked_for) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    ASSERT_TRUE(shared(*b).entry);
    const TimePoint long_ago = net::now() - std::chrono::milliseconds(settings.lag_limit_ms);
    const auto paused = worker();
    paused->gap(at(100), long_ago);
    paused->heartbeat(at(100), long_ago);
    EXPECT_FALSE(paused->fenced(net::now()));
    EXPECT_FALSE(shared(*paused).entry) << "nor from Redis";
}

TEST_F(TieredCacheTest, another_timeline_shares_nothing) {
    const auto a = worker(), b = worker(2);
    a->put("key", entry_of("one", 100));
    EXPECT_FALSE(shared(*b).entry);
    a->set_epoch("7431", 2);
    EXPECT_FALSE(a->fence().fenced());
    a->gap(at(100), net::now());
    EXPECT_EQ(memory(*a), "");
}

TEST_F(TieredCacheTest, rubbish_in_redis_is_a_miss) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    ASSERT_TRUE(shared(*worker()).entry);
    const std::string name = name_of("key"), good = command({"GET", name}).text;
    std::string damaged = good;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    for (const std::string& rubbish : {std::string(), std::string("x"), damaged, good.substr(0, good.size() - 1)}) {
        command({"SET", name, rubbish});
        EXPECT_FALSE(shared(*b).entry);
    }
    a->put("other", entry_of("two", 100));
    command({"SET", name_of("other"), good});
    EXPECT_FALSE(shared(*worker(), "other").entry) << "an entry of another key";
    command({"DEL", name});
    command({"LPUSH", name, "x"});
    EXPECT_FALSE(shared(*b).entry) << "WRONGTYPE";
    a->put("key", entry_of("new", 101));
    EXPECT_EQ(*shared(*b).entry->body, "new") << "what is not an entry gives way to one";
}

TEST_F(TieredCacheTest, a_slow_redis_costs_the_budget_and_no_more) {
    redis_settings.budget_ms = 10;
    const auto a = worker();
    command({"CLIENT", "PAUSE", "300", "ALL"});
    const TimePoint before = net::now();
    EXPECT_EQ(shared(*a).result, CacheResult::miss);
    EXPECT_LT(net::now() - before, 200ms);
}

TEST_F(TieredCacheTest, without_redis_memory_carries_on) {
    TieredCache alone(context, settings, redis_settings, nullptr, observer);
    alone.set_epoch("7431", 1);
    alone.gap(at(100), net::now());
    alone.put("key", entry_of("one", 100));
    EXPECT_EQ(memory(alone), "one");
    EXPECT_EQ(shared(alone, "other").result, CacheResult::miss);
    link.stop();
    const auto cut_off = worker();
    cut_off->put("key", entry_of("one", 100));
    EXPECT_EQ(memory(*cut_off), "one");
    EXPECT_FALSE(shared(*cut_off, "other").entry);
}

TEST_F(TieredCacheTest, what_is_too_large_is_not_stored) {
    settings.entry_bytes_max = 1'000;
    const auto a = worker();
    a->put("key", entry_of(std::string(2'000, 'x'), 100));
    EXPECT_EQ(memory(*a), "");
    EXPECT_EQ(name_of("key"), "");
}

TEST_F(TieredCacheTest, a_variant_joins_the_entry_whose_body_it_is_made_of) {
    const auto a = worker();
    const auto entry = entry_of("one", 100);
    a->put("key", entry);
    const std::size_t before = a->store().bytes();
    a->add_variant("key", *entry, pipeline::make_variant(*entry, coding::Coding::gzip, std::string("packed")));
    const auto with = a->find_memory("key", asked()).entry;
    ASSERT_TRUE(with && with->variant(coding::Coding::gzip));
    EXPECT_EQ(*with->variant(coding::Coding::gzip)->body, "packed");
    EXPECT_EQ(*with->body, "one");
    EXPECT_GT(a->store().bytes(), before);

    a->put("key", entry_of("two", 101));
    a->add_variant("key", *entry, pipeline::make_variant(*entry, coding::Coding::br, std::string("late")));
    EXPECT_EQ(a->find_memory("key", asked()).entry->variants.size(), 0U);
    a->add_variant("nothing", *entry, {});
    EXPECT_EQ(a->store().entries(), 1U);
}

TEST_F(TieredCacheTest, memory_is_purged) {
    const auto a = worker();
    a->put("key", entry_of("one", 100));
    a->purge_all();
    EXPECT_EQ(memory(*a), "");
}

}  // namespace millrace::app
