// Redis that is up and slow: nobody waits for it any more, but for one who tries it now and then.
#include <gtest/gtest.h>

#include <csignal>

#include "redis_fixture.hpp"
#include "servers.hpp"

namespace millrace::redis::test {
namespace {

Address address_of_slow(const support::Redis& server) {
    Address address = parse_url(server.url()).value();
    address.failures_max = 3;
    address.left_alone_for = 200ms;
    return address;
}

}  // namespace

TEST(RedisBreaker, opens_for_replies_that_come_too_late_and_closes_with_one_in_time) {
    support::Redis server;
    Linked linked(address_of_slow(server));
    ASSERT_TRUE(linked.until_up());
    server.signal(SIGSTOP);
    for (int i = 0; i < 3; ++i) {
        const auto late = linked.command({"PING"}, 20ms);
        ASSERT_FALSE(late.has_value());
        EXPECT_EQ(late.error().fault, Fault::deadline_passed);
    }
    EXPECT_EQ(linked.observer.count<events::BreakerChanged>(), 1U);
    const auto before = net::now();
    const auto refused = linked.command({"PING"}, 5s);
    EXPECT_LT(net::now() - before, 100ms);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().fault, Fault::circuit_open);
    server.signal(SIGCONT);
    ASSERT_TRUE(linked.until([&] { return linked.command({"PING"}, 1s).has_value(); }));
    EXPECT_EQ(linked.observer.count<events::BreakerChanged>(), 2U);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(linked.command({"PING"}).has_value());
    EXPECT_EQ(linked.observer.transitions, std::vector<bool>{true}) << "it was up all the time";
}

TEST(RedisBreaker, does_not_open_for_errors_and_late_ones_between_others) {
    support::Redis server;
    Linked linked(address_of_slow(server));
    ASSERT_TRUE(linked.until_up());
    for (int i = 0; i < 10; ++i) EXPECT_EQ(linked.command({"NONSENSE"}).value().kind, ValueKind::error);
    for (int i = 0; i < 4; ++i) {
        server.signal(SIGSTOP);
        EXPECT_FALSE(linked.command({"PING"}, 20ms).has_value());
        server.signal(SIGCONT);
        EXPECT_TRUE(linked.command({"PING"}).has_value());
    }
    EXPECT_EQ(linked.observer.count<events::BreakerChanged>(), 0U);
}

TEST(RedisBreaker, is_closed_on_a_new_connection) {
    support::Redis server;
    Linked linked(address_of_slow(server));
    ASSERT_TRUE(linked.until_up());
    server.signal(SIGSTOP);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(linked.command({"PING"}, 20ms).has_value());
    server.kill9();
    ASSERT_TRUE(linked.until([&] { return !linked.link.up(); }));
    server.start();
    ASSERT_TRUE(linked.until_up());
    EXPECT_TRUE(linked.command({"PING"}).has_value());
}

}  // namespace millrace::redis::test
