// A link and a subscription that follow the master: through its death, through a failover on command, past a sentinel that
// died.
#include <gtest/gtest.h>

#include "redis_fixture.hpp"
#include "redis_topologies.hpp"

namespace millrace::redis::test {
namespace {

// A master, its replica, and the sentinels that watch them.
struct Watched {
    support::Redis master;
    support::Redis replica{{"--replicaof", "127.0.0.1 " + std::to_string(master.port())}};
    support::Sentinels sentinels;

    explicit Watched(std::size_t count = 1) : sentinels(master, count, count / 2 + 1) { sentinels.wait_for_replicas(1); }
};

bool is_master(Linked& linked, std::uint16_t port) {
    const auto reply = linked.command({"INFO", "server"}, 200ms);
    return reply && reply->text.find("tcp_port:" + std::to_string(port) + "\r\n") != std::string::npos;
}

bool stores(Linked& linked) {
    const auto reply = linked.command({"SET", "k", "v"}, 200ms);
    return reply && reply->text == "OK";
}

}  // namespace

TEST(RedisSentinel, a_dead_master_is_replaced_for_commands_and_subscriptions) {
    Watched watched;
    Linked linked(watched.sentinels.url());
    int subscribed = 0, lost = 0;
    std::vector<std::string> heard;
    Messages messages;
    messages.message = [&](std::string_view, std::string_view payload) { heard.emplace_back(payload); };
    messages.subscribed = [&] { ++subscribed; };
    messages.lost = [&](std::string_view) { ++lost; };
    Subscription subscription(linked.context, parse_url(watched.sentinels.url()).value(), {"one"}, messages, linked.observer);
    subscription.start();
    ASSERT_TRUE(linked.until([&] { return linked.link.up() && subscribed == 1; }));
    EXPECT_TRUE(is_master(linked, watched.master.port()));
    EXPECT_TRUE(stores(linked));

    watched.master.kill9();
    ASSERT_TRUE(linked.until([&] { return lost == 1 && !linked.link.up(); }));
    ASSERT_TRUE(linked.until([&] { return stores(linked); }, 40s));
    EXPECT_TRUE(is_master(linked, watched.replica.port()));
    ASSERT_TRUE(linked.until([&] { return subscribed == 2; }));
    // A master that was just made may come and go: it is said until it is heard.
    for (int said = 0; heard.empty() && said < 20; ++said) {
        (void)linked.command({"PUBLISH", "one", "again"});
        (void)linked.until([&] { return !heard.empty(); }, 1s);
    }
    ASSERT_FALSE(heard.empty());
    EXPECT_EQ(heard.front(), "again");  // what was late may be heard twice
    const auto& transitions = linked.observer.transitions;
    EXPECT_TRUE(transitions.size() >= 3 && transitions.front() && !transitions[1] && transitions.back());
    EXPECT_TRUE(linked.observer.fallen.empty());
}

TEST(RedisSentinel, a_failover_on_command_is_followed_past_a_sentinel_that_died) {
    Watched watched(3);
    watched.sentinels.kill9(1);
    Linked linked(watched.sentinels.url());
    ASSERT_TRUE(linked.until_up());
    EXPECT_TRUE(is_master(linked, watched.master.port()));
    watched.sentinels.failover();
    EXPECT_TRUE(linked.until([&] { return is_master(linked, watched.replica.port()) && stores(linked); }, 40s));
}

TEST(RedisSentinel, a_master_that_became_a_replica_is_left) {
    Watched watched;
    Linked linked(watched.sentinels.url());
    ASSERT_TRUE(linked.until_up());
    support::Redis other;
    watched.master.execute({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
    const auto reply = linked.command({"SET", "k", "v"});
    EXPECT_TRUE(!reply || reply->text.starts_with("READONLY"));
    ASSERT_TRUE(linked.until([&] { return linked.observer.reasons.size() >= 2; }));
    if (reply) {
        EXPECT_EQ(linked.observer.reasons[1], "it is not the master any more");
    }
    EXPECT_TRUE(linked.until([&] { return stores(linked); }, 40s));
}

TEST(RedisSentinel, says_why_there_is_no_master) {
    support::Redis master;
    support::Sentinels sentinels(master, 1, 1);
    std::string url = sentinels.url();
    url.replace(url.rfind('/'), std::string::npos, "/other");
    Linked unknown(url);
    ASSERT_TRUE(unknown.until([&] { return !unknown.observer.reasons.empty(); }));
    EXPECT_EQ(unknown.observer.reasons.front(), "no sentinel names the master: the sentinel does not know the service");
    Linked nobody("redis+sentinel://127.0.0.1:1,127.0.0.1:2/cache");
    ASSERT_TRUE(nobody.until([&] { return !nobody.observer.reasons.empty(); }));
    EXPECT_TRUE(nobody.observer.reasons.front().starts_with("no sentinel names the master: "))
        << nobody.observer.reasons.front();
}

TEST(RedisSentinel, sentinels_have_a_password_of_their_own) {
    support::Redis master;
    support::Sentinels sentinels(master, 1, 1);
    sentinels.execute({"ACL", "SETUSER", "default", ">watch"});
    config::RedisSettings settings;
    settings.url = sentinels.url();
    Linked without(address_of(settings).value());
    ASSERT_TRUE(without.until([&] { return !without.observer.reasons.empty(); }));
    EXPECT_NE(without.observer.reasons.front().find("NOAUTH"), std::string::npos) << without.observer.reasons.front();
    settings.sentinel_password = "watch";
    Linked with(address_of(settings).value());
    EXPECT_TRUE(with.until_up());
}

}  // namespace millrace::redis::test
