// Memory, Redis and the fence together, as several workers see them.
#include "millrace/app/tiered_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <boost/asio/post.hpp>

#include "millrace/core/pipeline.hpp"
#include "millrace/io/net.hpp"
#include "running.hpp"
#include "servers.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using events::CacheResult;

fence::PgSnapshot at(fence::Xid xid) { return {xid, xid, {}}; }

Deadline within(Duration duration) { return {net::now() + duration}; }

EntryPointer entry_of(const std::string& body, fence::Xid xid, Duration fresh_for = 60s) {
    cache::Entry entry;
    entry.body = std::make_shared<const std::string>(body);
    entry.header_lines = "Content-Type: application/json\r\n";
    entry.tags = {"api.products"};
    entry.snapshot = at(xid);
    entry.stored = net::wall_now();
    entry.fresh_for = fresh_for;
    return std::make_shared<const cache::Entry>(std::move(entry));
}

// A loop with a link to a server that all of them share, and any number of workers' caches on it.
struct Tiers {
    asio::io_context context{1};
    support::RecordingObserver observer;
    net::TaskGroup tasks{context, observer};
    config::CacheSettings settings;
    config::RedisSettings redis_settings;
    redis::Link link;

    explicit Tiers(const std::string& url) : link(context, redis::parse_url(url).value(), observer) {
        redis_settings.budget_ms = 2'000;
        link.start();
        EXPECT_TRUE(until([this] { return link.up(); }));
    }
    ~Tiers() {
        asio::post(context, [this] { link.stop(), tasks.cancel(); });
        context.restart();
        context.run_for(1s);
    }

    template <class Condition>
    bool until(Condition condition, Duration timeout = 10s) {
        return support::run_while_not(context, condition, timeout);
    }
    std::unique_ptr<TieredCache> worker(std::uint32_t timeline = 1, redis::Link* through = nullptr) {
        auto made =
            std::make_unique<TieredCache>(context, settings, redis_settings, through == nullptr ? &link : through, observer);
        made->set_epoch("7431", timeline);
        made->gap(at(100));
        return made;
    }
    Lookup shared(TieredCache& cache, const std::string& key = "key", Duration timeout = 5s) {
        return support::run_until(context, cache.find_shared(key, within(timeout)));
    }
    redis::Value command(std::vector<std::string_view> arguments) {
        return support::run_until(context, link.command(arguments, within(5s))).value();
    }
};

std::string memory(TieredCache& cache, const std::string& key = "key", WallTime now = net::wall_now()) {
    const auto entry = cache.find_memory(key, now);
    return entry ? *entry->body : "";
}

support::Redis& server() {
    static support::Redis redis;
    return redis;
}

struct Tiered : testing::Test, Tiers {
    Tiered() : Tiers(server().url()) { command({"FLUSHALL"}); }
};
using TieredCacheTest = Tiered;

asio::awaitable<void> ask(TieredCache& cache, Duration timeout, std::vector<std::string>& outcomes) {
    const auto turn = co_await cache.take_turn("key", within(timeout));
    outcomes.push_back(turn.ticket ? "ticket" : turn.found.entry ? *turn.found.entry->body : "alone");
}

}  // namespace

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
    const auto left = command({"PTTL", "millrace:7431:1:key"}).integer;
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
    EXPECT_EQ(*shared(*worker()).entry->body, "older") << "valid, and all that this worker knows";
    EXPECT_EQ(*shared(*a).entry->body, "newer");
    EXPECT_EQ(memory(*a), "newer");
}

TEST_F(TieredCacheTest, unfenced_it_finds_and_stores_nothing) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    a->unfence();
    EXPECT_EQ(memory(*a), "");
    EXPECT_EQ(shared(*a).result, CacheResult::bypass);
    a->put("other", entry_of("two", 100));
    EXPECT_FALSE(shared(*b, "other").entry);
    a->gap(at(100));
    EXPECT_EQ(memory(*a), "one");
    a->gap(at(101));
    EXPECT_EQ(memory(*a), "");
}

TEST_F(TieredCacheTest, another_timeline_shares_nothing) {
    const auto a = worker(), b = worker(2);
    a->put("key", entry_of("one", 100));
    EXPECT_FALSE(shared(*b).entry);
    a->set_epoch("7431", 2);
    EXPECT_FALSE(a->fence().fenced());
    a->gap(at(100));
    EXPECT_EQ(memory(*a), "");
}

TEST_F(TieredCacheTest, rubbish_in_redis_is_a_miss) {
    const auto a = worker(), b = worker();
    a->put("key", entry_of("one", 100));
    ASSERT_TRUE(shared(*worker()).entry);
    const std::string good = command({"GET", "millrace:7431:1:key"}).text;
    std::string damaged = good;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    for (const std::string& rubbish : {std::string(), std::string("x"), damaged, good.substr(0, good.size() - 1)}) {
        command({"SET", "millrace:7431:1:key", rubbish});
        EXPECT_FALSE(shared(*b).entry);
    }
    command({"SET", "millrace:7431:1:other", good});
    EXPECT_FALSE(shared(*b, "other").entry) << "an entry of another key";
    command({"DEL", "millrace:7431:1:key"});
    command({"LPUSH", "millrace:7431:1:key", "x"});
    EXPECT_FALSE(shared(*b).entry) << "WRONGTYPE";
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
    alone.gap(at(100));
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
    EXPECT_EQ(command({"EXISTS", "millrace:7431:1:key"}).integer, 0);
}

TEST_F(TieredCacheTest, a_variant_joins_the_entry_whose_body_it_is_made_of) {
    const auto a = worker();
    const auto entry = entry_of("one", 100);
    a->put("key", entry);
    const std::size_t before = a->store().bytes();
    a->add_variant("key", *entry, pipeline::make_variant(*entry, coding::Coding::gzip, std::string("packed")));
    const auto with = a->find_memory("key", net::wall_now());
    ASSERT_TRUE(with && with->variant(coding::Coding::gzip));
    EXPECT_EQ(*with->variant(coding::Coding::gzip)->body, "packed");
    EXPECT_EQ(*with->body, "one");
    EXPECT_GT(a->store().bytes(), before);

    a->put("key", entry_of("two", 101));
    a->add_variant("key", *entry, pipeline::make_variant(*entry, coding::Coding::br, std::string("late")));
    EXPECT_EQ(a->find_memory("key", net::wall_now())->variants.size(), 0U);
    a->add_variant("nothing", *entry, {});
    EXPECT_EQ(a->store().entries(), 1U);
}

TEST_F(TieredCacheTest, memory_is_purged) {
    const auto a = worker();
    a->put("key", entry_of("one", 100));
    a->purge_all();
    EXPECT_EQ(memory(*a), "");
}

TEST_F(TieredCacheTest, one_fills_and_the_others_wait_for_it) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", within(5s)));
    ASSERT_TRUE(first.ticket);
    for (int i = 0; i < 50; ++i) tasks.spawn("ask", ask(*a, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 50ms));
    EXPECT_EQ(a->fills_in_flight(), 1U);
    a->fill(std::move(first.ticket), entry_of("one", 100));
    ASSERT_TRUE(until([&] { return outcomes.size() == 50; }));
    EXPECT_EQ(std::ranges::count(outcomes, "one"), 50);
    EXPECT_EQ(a->fills_in_flight(), 0U);
    EXPECT_EQ(memory(*a), "one");
}

TEST_F(TieredCacheTest, when_the_filler_fails_the_others_go_on_by_themselves) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    {
        const auto first = support::run_until(context, a->take_turn("key", within(5s)));
        for (int i = 0; i < 3; ++i) tasks.spawn("ask", ask(*a, 5s, outcomes));
        ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 50ms));
    }
    ASSERT_TRUE(until([&] { return outcomes.size() == 3; }));
    EXPECT_EQ(std::ranges::count(outcomes, "alone"), 3);
    EXPECT_TRUE(support::run_until(context, a->take_turn("key", within(5s))).ticket);
}

TEST_F(TieredCacheTest, waiting_ends_with_the_deadline) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    const auto first = support::run_until(context, a->take_turn("key", within(5s)));
    tasks.spawn("ask", ask(*a, 20ms, outcomes));
    ASSERT_TRUE(until([&] { return outcomes.size() == 1; }, 2s));
    EXPECT_EQ(outcomes.front(), "alone");
}

TEST_F(TieredCacheTest, what_was_invalidated_during_the_fill_is_not_handed_on) {
    const auto a = worker();
    std::vector<std::string> outcomes;
    auto first = support::run_until(context, a->take_turn("key", within(5s)));
    tasks.spawn("ask", ask(*a, 5s, outcomes));
    ASSERT_FALSE(until([&] { return !outcomes.empty(); }, 20ms));
    a->invalidate({{"api.products"}, 105});
    a->fill(std::move(first.ticket), entry_of("one", 104));
    ASSERT_TRUE(until([&] { return outcomes.size() == 1; }));
    EXPECT_EQ(outcomes.front(), "alone");
}

}  // namespace millrace::app
