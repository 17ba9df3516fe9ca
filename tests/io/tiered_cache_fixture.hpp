// Several workers' caches over one real Redis.
#pragma once

#include "millrace/app/tiered_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include <boost/asio/post.hpp>

#include "millrace/io/net.hpp"
#include "running.hpp"
#include "servers.hpp"

namespace millrace::app {

using namespace std::chrono_literals;
using events::CacheResult;

inline fence::PgSnapshot at(fence::Xid xid) { return {xid, xid, {}}; }

inline Deadline within(Duration duration) { return {net::now() + duration}; }

inline Ask asked(WallTime now = net::wall_now(), const cache::StaleWindows& windows = {},
                 std::optional<fence::Xid> token = {}) {
    return {now, net::now(), windows, token};
}

inline EntryPointer entry_of(const std::string& body, fence::Xid xid, Duration fresh_for = 60s) {
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
    std::unique_ptr<TieredCache> worker(std::uint32_t timeline = 1, redis::Link* through = nullptr,
                                        std::shared_ptr<FillTable> fills = nullptr) {
        auto made = std::make_unique<TieredCache>(context, settings, redis_settings, through == nullptr ? &link : through,
                                                  observer, std::move(fills));
        made->set_epoch("7431", timeline);
        made->gap(at(100), net::now());
        return made;
    }
    TieredCache::Shared search(TieredCache& cache, Duration wait_max = {}, const std::string& known = {}) {
        TieredCache::Search how{within(5s), wait_max, known};
        return support::run_until(context, cache.find_shared("key", asked(), std::move(how)));
    }
    Lookup shared(TieredCache& cache, const std::string& key = "key", const cache::StaleWindows& windows = {}) {
        TieredCache::Search how{within(5s)};
        return support::run_until(context, cache.find_shared(key, asked(net::wall_now(), windows), std::move(how))).found;
    }
    Lookup spare(TieredCache& cache, const cache::StaleWindows& windows) {
        return support::run_until(context, cache.find_spare("key", asked(net::wall_now(), windows)));
    }
    // Under which name Redis has it; "" when it has not.
    std::string name_of(const std::string& key) {
        const auto names = command({"KEYS", "millrace:7431:1:0:{*}" + key}).items;
        return names.empty() ? "" : names.front().text;
    }
    redis::Value command(std::vector<std::string_view> arguments) {
        return support::run_until(context, link.command(arguments, within(5s))).value();
    }
};

inline std::string memory(TieredCache& cache, const std::string& key = "key", WallTime now = net::wall_now()) {
    const auto found = cache.find_memory(key, asked(now));
    return found.use == cache::Use::fresh ? *found.entry->body : "";
}

inline support::Redis& server() {
    static support::Redis redis;
    return redis;
}

struct TieredCacheTest : testing::Test, Tiers {
    TieredCacheTest() : Tiers(server().url()) { command({"FLUSHALL"}); }
};

}  // namespace millrace::app
