// The Redis link against a real server that is slowed, flushed, stopped and killed, and against one that lies.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "redis_fixture.hpp"
#include "servers.hpp"

namespace millrace::redis::test {
namespace {

asio::awaitable<void> echo(Link& link, int number, Duration timeout, std::vector<std::string>& outcomes) {
    const std::string text = "text " + std::to_string(number);
    const std::array<std::string_view, 2> arguments = {"ECHO", text};
    const auto value = co_await link.command(arguments, within(timeout));
    if (!value) {
        outcomes.push_back(value.error().message);
    } else {
        outcomes.push_back(value->text == text ? "right" : "out of step: " + value->text);
    }
}

std::size_t count_of(const std::vector<std::string>& outcomes, std::string_view wanted) {
    return static_cast<std::size_t>(std::ranges::count(outcomes, wanted));
}

}  // namespace

TEST(RedisLink, stores_and_finds_over_tcp_and_unix_socket) {
    support::Redis server;
    for (const std::string& url : {server.url() + "/2", server.socket_url() + "?db=2"}) {
        Linked linked(url);
        ASSERT_TRUE(linked.until_up());
        const std::string binary("a\0\r\n$5", 6);
        EXPECT_EQ(linked.command({"SET", "key", binary}).value().text, "OK");
        EXPECT_EQ(linked.command({"GET", "key"}).value().text, binary);
        EXPECT_EQ(linked.command({"GET", "no such key"}).value().kind, ValueKind::nil);
        EXPECT_EQ(linked.command({"STRLEN", "key"}).value().integer, 6);
        EXPECT_EQ(linked.command({"NONSENSE"}).value().kind, ValueKind::error);
        const auto array = linked.command({"MGET", "key", "no such key"}).value();
        ASSERT_EQ(array.items.size(), 2U);
        EXPECT_EQ(array.items[0].text, binary);
        EXPECT_EQ(array.items[1].kind, ValueKind::nil);
        EXPECT_NE(linked.command({"CLIENT", "INFO"}).value().text.find("db=2"), std::string::npos);
        EXPECT_NE(linked.command({"CLIENT", "INFO"}).value().text.find("name=millrace"), std::string::npos);
        EXPECT_EQ(linked.observer.transitions, std::vector<bool>{true});
        EXPECT_GE(linked.observer.count<events::RedisCall>(), 8U);
    }
}

TEST(RedisLink, carries_values_larger_than_any_buffer) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    const std::string large(3'000'000, 'x');
    const std::array<std::string_view, 3> set = {"SET", "large", large};
    linked.link.post(set);
    EXPECT_EQ(linked.command({"GET", "large"}).value().text.size(), large.size());
    EXPECT_EQ(linked.command({"FLUSHALL"}).value().text, "OK");
    EXPECT_EQ(linked.command({"GET", "large"}).value().kind, ValueKind::nil);
}

TEST(RedisLink, every_one_of_many_at_once_gets_its_own_answer) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    std::vector<std::string> outcomes;
    for (int i = 0; i < 900; ++i) linked.tasks.spawn("echo", echo(linked.link, i, 5s, outcomes));
    ASSERT_TRUE(linked.until([&] { return outcomes.size() == 900; }));
    EXPECT_EQ(count_of(outcomes, "right"), 900U);
}

TEST(RedisLink, commands_of_one_turn_are_written_together) {
    Faked faked({greeting_answer, ""});
    ASSERT_TRUE(faked.until([&] { return faked.link.up(); }));
    std::vector<std::string> outcomes;
    for (int i = 0; i < 100; ++i) faked.tasks.spawn("echo", echo(faked.link, i, 50ms, outcomes));
    ASSERT_TRUE(faked.until([&] { return outcomes.size() == 100; }));
    ASSERT_EQ(faked.server.received.size(), 2U);
    EXPECT_NE(faked.server.received[1].find("text 0"), std::string::npos);
    EXPECT_NE(faked.server.received[1].find("text 99"), std::string::npos);
}

TEST(RedisLink, more_than_it_can_hold_fail_at_once) {
    Faked faked({greeting_answer, ""});
    ASSERT_TRUE(faked.until([&] { return faked.link.up(); }));
    std::vector<std::string> outcomes;
    for (int i = 0; i < 1'500; ++i) faked.tasks.spawn("echo", echo(faked.link, i, 200ms, outcomes));
    ASSERT_TRUE(faked.until([&] { return outcomes.size() >= 500; }, 100ms));
    EXPECT_EQ(count_of(outcomes, "Too many commands wait for Redis"), 500U);
    ASSERT_TRUE(faked.until([&] { return outcomes.size() == 1'500; }));
    EXPECT_EQ(count_of(outcomes, "Redis did not answer in time"), 1'000U);
}

TEST(RedisLink, a_slow_server_costs_the_deadline_and_the_link_stays_in_step) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"CLIENT", "PAUSE", "400", "ALL"}).value().text, "OK");
    std::vector<std::string> outcomes;
    const TimePoint before = net::now();
    for (int i = 0; i < 50; ++i) linked.tasks.spawn("echo", echo(linked.link, i, 20ms, outcomes));
    ASSERT_TRUE(linked.until([&] { return outcomes.size() == 50; }));
    EXPECT_LT(net::now() - before, 300ms);
    EXPECT_EQ(count_of(outcomes, "Redis did not answer in time"), 50U);
    EXPECT_TRUE(linked.link.up());
    for (int i = 50; i < 100; ++i) linked.tasks.spawn("echo", echo(linked.link, i, 5s, outcomes));
    ASSERT_TRUE(linked.until([&] { return outcomes.size() == 100; }));
    EXPECT_EQ(count_of(outcomes, "right"), 50U);
    EXPECT_EQ(linked.observer.transitions, std::vector<bool>{true});
}

TEST(RedisLink, a_server_that_hangs_is_left_and_found_again) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    server.signal(SIGSTOP);
    EXPECT_FALSE(linked.command({"PING"}, 10ms));
    EXPECT_TRUE(linked.until([&] { return !linked.link.up(); }, 3s));
    const TimePoint before = net::now();
    EXPECT_FALSE(linked.command({"PING"}));
    EXPECT_LT(net::now() - before, 500ms);
    server.signal(SIGCONT);
    EXPECT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"PING"}).value().text, "PONG");
    EXPECT_EQ(linked.observer.transitions, (std::vector<bool>{true, false, true}));
}

TEST(RedisLink, killed_and_restarted_under_load_nothing_waits_and_it_comes_back) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    std::vector<std::string> outcomes;
    bool stop = false;
    auto load = [&](int first) -> asio::awaitable<void> {
        for (int i = first;; i += 20) {
            if (stop) co_return;
            co_await echo(linked.link, i, 5s, outcomes);
            co_await net::sleep_for(1ms);
        }
    };
    for (int i = 0; i < 20; ++i) linked.tasks.spawn("load", load(i));
    ASSERT_TRUE(linked.until([&] { return count_of(outcomes, "right") > 200; }));
    server.kill9();
    ASSERT_TRUE(linked.until([&] { return count_of(outcomes, "Redis is not connected") > 200; }, 3s));
    outcomes.clear();
    server.start();
    ASSERT_TRUE(linked.until([&] { return count_of(outcomes, "right") > 200; }));
    stop = true;
    ASSERT_TRUE(linked.until([&] { return linked.tasks.running() == 0; }));
    EXPECT_EQ(count_of(outcomes, "right") + count_of(outcomes, "Redis is not connected"), outcomes.size());
    EXPECT_EQ(linked.observer.transitions, (std::vector<bool>{true, false, true}));
    EXPECT_TRUE(linked.observer.fallen.empty());
}

TEST(RedisLink, a_password_is_given_and_a_wrong_one_is_said) {
    support::Redis server;
    {
        Linked linked(server.url());
        ASSERT_TRUE(linked.until_up());
        EXPECT_TRUE(linked.command({"CONFIG", "SET", "requirepass", "s3cret/"}));
        EXPECT_TRUE(linked.command({"ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all"}));
    }
    const std::string at = "127.0.0.1:" + std::to_string(server.port());
    for (const std::string& url : {"redis://:s3cret%2F@" + at, "redis://app:pw@" + at}) {
        Linked linked(url);
        ASSERT_TRUE(linked.until_up()) << url;
        EXPECT_TRUE(linked.command({"PING"}));
    }
    for (const std::string& url : {"redis://:wrong@" + at, "redis://nobody:pw@" + at, "redis://" + at}) {
        Linked linked(url);
        ASSERT_TRUE(linked.until([&] { return !linked.observer.reasons.empty(); })) << url;
        EXPECT_EQ(linked.observer.transitions.front(), false);
        EXPECT_TRUE(linked.observer.reasons.front().find("WRONGPASS") != std::string::npos ||
                    linked.observer.reasons.front().find("NOAUTH") != std::string::npos)
            << linked.observer.reasons.front();
        EXPECT_FALSE(linked.command({"PING"}));
    }
}

TEST(RedisLink, a_server_that_lies_is_left) {
    const std::string endless = "*2147483647\r\n";
    const std::string many = "*10001\r\n";
    const std::string deep = "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n";
    std::string nested = "*9000\r\n";
    for (int i = 0; i < 9'000; ++i) nested += "*2\r\n:1\r\n:2\r\n";
    for (const std::string& lie : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("\r\n"), std::string("$-5\r\n"),
                                   std::string("$99999999999999999999\r\n"), endless, many, deep, nested,
                                   std::string("*-3\r\n"), std::string(":x\r\n"), std::string("+right\r\n+nobody asked\r\n")}) {
        Faked faked({greeting_answer, lie});
        ASSERT_TRUE(faked.until([&] { return faked.link.up(); }));
        std::vector<std::string> outcomes;
        faked.tasks.spawn("echo", echo(faked.link, 1, 5s, outcomes));
        EXPECT_TRUE(faked.until([&] { return faked.observer.transitions.size() >= 2; }, 3s)) << lie.substr(0, 40);
        ASSERT_TRUE(faked.until([&] { return outcomes.size() == 1; }));
        EXPECT_NE(outcomes.front(), "right");
        EXPECT_NE(faked.observer.reasons.back(), "no reply within a second") << lie.substr(0, 40);
    }
}

TEST(RedisLink, a_bulk_reply_that_never_ends_is_left_within_a_second_or_two) {
    Faked faked({greeting_answer, "$536870911\r\nabc"});
    ASSERT_TRUE(faked.until([&] { return faked.link.up(); }));
    std::vector<std::string> outcomes;
    faked.tasks.spawn("echo", echo(faked.link, 1, 10ms, outcomes));
    EXPECT_TRUE(faked.until([&] { return faked.observer.transitions.size() >= 2; }, 3s));
    EXPECT_EQ(faked.observer.reasons.back(), "no reply within a second");
}

TEST(RedisLink, a_greeting_that_is_refused_or_nonsense_leaves_it_down) {
    for (const std::string& answer :
         {std::string("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n"), std::string("SSH-2.0\r\n")}) {
        Faked faked({answer});
        ASSERT_TRUE(faked.until([&] { return !faked.observer.transitions.empty(); }));
        EXPECT_EQ(faked.observer.transitions.front(), false);
        EXPECT_FALSE(faked.link.up());
    }
}

TEST(RedisLink, stopping_lets_nobody_wait) {
    Faked faked({greeting_answer, ""});
    ASSERT_TRUE(faked.until([&] { return faked.link.up(); }));
    std::vector<std::string> outcomes;
    faked.tasks.spawn("echo", echo(faked.link, 1, 60s, outcomes));
    ASSERT_TRUE(faked.until([&] { return faked.server.received.size() == 2; }));
    faked.link.stop();
    ASSERT_TRUE(faked.until([&] { return outcomes.size() == 1; }, 1s));
    EXPECT_EQ(outcomes.front(), "Redis is not connected");
}

TEST(RedisLink, a_caller_that_is_cancelled_leaves_the_link_in_step) {
    support::Redis server;
    Linked linked(server.url());
    ASSERT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"CLIENT", "PAUSE", "200", "ALL"}).value().text, "OK");
    std::vector<std::string> cancelled, outcomes;
    {
        net::TaskGroup short_lived(linked.context, linked.observer);
        for (int i = 0; i < 10; ++i) short_lived.spawn("echo", echo(linked.link, i, 5s, cancelled));
        ASSERT_FALSE(linked.until([&] { return !cancelled.empty(); }, 50ms));
    }
    linked.tasks.spawn("echo", echo(linked.link, 77, 5s, outcomes));
    ASSERT_TRUE(linked.until([&] { return outcomes.size() == 1; }));
    EXPECT_EQ(outcomes.front(), "right");
}

}  // namespace millrace::redis::test
