// Subscriptions against a real server that is killed, stopped and closes what it has too much for, and against one that lies.
#include <gtest/gtest.h>

#include <csignal>

#include "redis_fixture.hpp"
#include "servers.hpp"

namespace millrace::redis::test {
namespace {

// A subscription, and a link that publishes, on one loop.
struct Subscribed {
    asio::io_context context{1};
    Witness observer;
    std::vector<std::string> heard;  // "channel: payload"
    int times_subscribed = 0;
    std::vector<std::string> losses;
    std::optional<Subscription> subscription;

    explicit Subscribed(Address address, std::vector<std::string> channels = {"one", "two"}) {
        Messages messages;
        messages.message = [this](std::string_view channel, std::string_view payload) {
            heard.push_back(std::string(channel) + ": " + std::string(payload));
        };
        messages.subscribed = [this] { ++times_subscribed; };
        messages.lost = [this](std::string_view reason) { losses.emplace_back(reason); };
        subscription.emplace(context, std::move(address), std::move(channels), std::move(messages), observer);
        subscription->start();
    }
    ~Subscribed() {
        end(context, [this] { subscription.reset(); });
    }
    template <class Condition>
    bool until(Condition condition, Duration timeout = 10s) {
        return support::run_while_not(context, condition, timeout);
    }
    bool until_subscribed(int times) {
        return until([&] { return times_subscribed >= times; });
    }
};

struct Published : Subscribed {
    Link link;
    explicit Published(const std::string& url)
        : Subscribed(parse_url(url).value()), link(context, parse_url(url).value(), observer) {
        link.start();
    }
    ~Published() {
        end(context, [this] { link.stop(); });
    }
    bool ready(int times) {
        return until([&] { return times_subscribed >= times && link.up(); });
    }
    void publish(std::string_view channel, std::string_view payload) {
        const std::array<std::string_view, 3> words = {"PUBLISH", channel, payload};
        link.post(words);
    }
};

std::string array_of(const std::vector<std::string>& items) {
    std::string text = "*" + std::to_string(items.size()) + "\r\n";
    for (const auto& item : items) text += "$" + std::to_string(item.size()) + "\r\n" + item + "\r\n";
    return text;
}

}  // namespace

TEST(RedisSubscription, hears_what_a_link_publishes_in_order_and_nothing_else) {
    support::Redis server;
    for (const std::string& url : {server.url(), server.socket_url()}) {
        Published test(url);
        ASSERT_TRUE(test.ready(1));
        const std::string binary("a\0\r\n$5", 6);
        test.publish("one", "first");
        test.publish("three", "not for us");
        test.publish("two", binary);
        for (int i = 0; i < 100; ++i) test.publish("one", std::to_string(i));
        ASSERT_TRUE(test.until([&] { return test.heard.size() == 102; }));
        EXPECT_EQ(test.heard[0], "one: first");
        EXPECT_EQ(test.heard[1], "two: " + binary);
        for (int i = 0; i < 100; ++i) EXPECT_EQ(test.heard[2 + i], "one: " + std::to_string(i));
        EXPECT_TRUE(test.losses.empty());
    }
}

TEST(RedisSubscription, a_quiet_channel_is_no_loss) {
    support::Redis server;
    Published test(server.url());
    ASSERT_TRUE(test.ready(1));
    EXPECT_FALSE(test.until([&] { return !test.losses.empty(); }, subscription_silence_max + 1s));
    test.publish("one", "still here");
    EXPECT_TRUE(test.until([&] { return test.heard.size() == 1; }));
    EXPECT_EQ(test.times_subscribed, 1);
}

TEST(RedisSubscription, a_killed_server_is_lost_once_and_found_again) {
    support::Redis server;
    Published test(server.url());
    ASSERT_TRUE(test.ready(1));
    server.kill9();
    ASSERT_TRUE(test.until([&] { return !test.losses.empty(); }));
    EXPECT_FALSE(test.until([&] { return test.losses.size() > 1; }, 500ms));
    server.start();
    ASSERT_TRUE(test.ready(2));
    test.publish("two", "again");
    EXPECT_TRUE(test.until([&] { return test.heard.size() == 1; }));
    EXPECT_EQ(test.losses.size(), 1U);
    EXPECT_TRUE(test.observer.fallen.empty());
}

TEST(RedisSubscription, a_server_that_hangs_is_noticed_within_the_bound) {
    support::Redis server;
    Published test(server.url());
    ASSERT_TRUE(test.ready(1));
    server.signal(SIGSTOP);
    const TimePoint before = net::now();
    ASSERT_TRUE(test.until([&] { return !test.losses.empty(); }));
    EXPECT_LT(net::now() - before, subscription_silence_max + 2s);
    EXPECT_GT(net::now() - before, 1s);
    EXPECT_EQ(test.losses.front(), "nothing was heard any more");
    server.signal(SIGCONT);
    EXPECT_TRUE(test.ready(2));
}

// Who reads too slowly is closed by the server: what was published meanwhile is lost, and that must be said.
TEST(RedisSubscription, closed_for_what_it_did_not_read_it_says_so_and_comes_back) {
    support::Redis server;
    Published test(server.url());
    ASSERT_TRUE(test.ready(1));
    const std::string large(1'000'000, 'x');
    const std::array<std::string_view, 4> limit = {"CONFIG", "SET", "client-output-buffer-limit", "pubsub 100kb 100kb 1"};
    ASSERT_EQ(support::run_until(test.context, test.link.command(limit, within(5s)))->text, "OK");
    for (int i = 0; i < 8; ++i) test.publish("one", large);
    ASSERT_TRUE(test.until([&] { return !test.losses.empty(); }));
    ASSERT_TRUE(test.ready(2));
    // Large ones may still be on their way and have it closed once more: what is said then is lost, so it is said again.
    const auto heard = [&] { return !test.heard.empty() && test.heard.back() == "one: small"; };
    for (int i = 0; i < 50 && !heard(); ++i) {
        test.publish("one", "small");
        (void)test.until(heard, 200ms);
    }
    EXPECT_TRUE(heard());
}

TEST(RedisSubscription, the_first_failure_is_told_as_well) {
    Address nobody;
    nobody.endpoints.front().port = 1;
    Subscribed test(nobody);
    ASSERT_TRUE(test.until([&] { return !test.losses.empty(); }));
    EXPECT_EQ(test.times_subscribed, 0);
}

TEST(RedisSubscription, tries_the_next_endpoint) {
    support::Redis server;
    Address address;
    address.endpoints.front().port = 1;
    address.endpoints.push_back(parse_url(server.url()).value().endpoints.front());
    Subscribed test(address);
    EXPECT_TRUE(test.until_subscribed(1));
}

TEST(RedisSubscription, a_server_that_lies_is_left) {
    for (const std::string& lie :
         {std::string("HTTP/1.1 400\r\n\r\n"), std::string("-NOPERM no channel\r\n"), std::string("*-1\r\n"),
          std::string("*0\r\n"), array_of({"message", "one"}), array_of({"pmessage", "o*", "one", "x"}), std::string("+OK\r\n"),
          array_of({"subscribe", "other", "1"}), std::string("*2147483647\r\n")}) {
        Faked faked({greeting_answer, lie});
        Subscribed test(faked.server.address(), {"one"});
        ASSERT_TRUE(test.until([&] {
            faked.context.poll();
            return !test.losses.empty();
        })) << lie;
        EXPECT_EQ(test.times_subscribed, 0);
    }
}

TEST(RedisSubscription, a_callback_may_end_it) {
    support::Redis server;
    asio::io_context context{1};
    Witness observer;
    std::optional<Subscription> subscription;
    int calls = 0;
    Messages messages;
    messages.message = [](std::string_view, std::string_view) {};
    messages.lost = [&](std::string_view) { ++calls; };
    messages.subscribed = [&] {
        ++calls;
        subscription.reset();
    };
    subscription.emplace(context, parse_url(server.url()).value(), std::vector<std::string>{"one"}, messages, observer);
    subscription->start();
    ASSERT_TRUE(support::run_while_not(
        context, [&] { return calls == 1; }, 10s));
    context.restart();
    context.run_for(1s);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(observer.fallen.empty());
}

}  // namespace millrace::redis::test
