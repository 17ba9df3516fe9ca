// A link to a cluster: every key at its node, slots that move under load, nodes that die, and a node that lies.
#include <gtest/gtest.h>

#include <algorithm>

#include "redis_fixture.hpp"
#include "redis_topologies.hpp"
#include "slots.hpp"

namespace millrace::redis::test {
namespace {

// A key of the slot, with a number of its own.
std::string key_in(std::string_view tag, int number) { return "{" + std::string(tag) + "}" + std::to_string(number); }

int errors_of(const support::Redis& node, const std::string& name) {
    const std::string stats = node.execute({"INFO", "errorstats"});
    const std::string before = "errorstat_" + name + ":count=";
    const auto at = stats.find(before);
    return at == std::string::npos ? 0 : std::stoi(stats.substr(at + before.size()));
}

int calls_of(const support::Redis& node, const std::string& name) {
    const std::string stats = node.execute({"INFO", "commandstats"});
    const std::string before = "cmdstat_" + name + ":calls=";
    const auto at = stats.find(before);
    return at == std::string::npos ? 0 : std::stoi(stats.substr(at + before.size()));
}

struct Clustered {
    support::RedisCluster cluster;
    Linked linked{cluster.url()};

    bool set_all(const std::string& value) {
        for (int i = 0; i < 100; ++i) {
            const std::string key = "key" + std::to_string(i);
            const auto reply = linked.command({"SET", key, value});
            if (!reply || reply->text != "OK") return false;
        }
        return true;
    }
    bool whole() {
        return linked.until([&] { return !linked.observer.transitions.empty() && linked.observer.transitions.back(); }, 30s);
    }
};

}  // namespace

TEST(RedisCluster, every_command_goes_to_the_node_of_its_key_at_once) {
    Clustered test;
    ASSERT_TRUE(test.whole());
    ASSERT_TRUE(test.set_all("v"));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(test.linked.command({"GET", "key" + std::to_string(i)})->text, "v");
    for (std::size_t i = 0; i < test.cluster.size(); ++i) {
        EXPECT_NE(test.cluster.node(i).execute({"DBSIZE"}), "0");
        EXPECT_EQ(errors_of(test.cluster.node(i), "MOVED"), 0);
    }
    EXPECT_EQ(test.linked.command({"PING"})->text, "PONG");
    EXPECT_EQ(test.linked.observer.transitions, std::vector<bool>{true});
}

TEST(RedisCluster, scripts_and_posts_find_their_node_too) {
    Clustered test;
    ASSERT_TRUE(test.whole());
    const Script append("return redis.call('APPEND', KEYS[1], ARGV[1])");
    for (int i = 0; i < 30; ++i) {
        const std::string key = "script" + std::to_string(i);
        const std::array<std::string_view, 1> keys = {key}, text = {"ab"};
        test.linked.link.post(append, keys, text);
        const auto length = support::run_until(test.linked.context, test.linked.link.command(append, keys, text, within(5s)));
        EXPECT_EQ(length->integer, 4) << key;
    }
}

TEST(RedisCluster, what_one_node_is_told_is_heard_at_another) {
    Clustered test;
    ASSERT_TRUE(test.whole());
    std::vector<std::string> heard;
    bool subscribed = false;
    Messages messages;
    messages.message = [&](std::string_view, std::string_view payload) { heard.emplace_back(payload); };
    messages.subscribed = [&] { subscribed = true; };
    messages.lost = [](std::string_view) {};
    Address last = parse_url(test.cluster.url()).value();
    std::ranges::reverse(last.endpoints);
    Subscription subscription(test.linked.context, last, {"one"}, messages, test.linked.observer);
    subscription.start();
    ASSERT_TRUE(test.linked.until([&] { return subscribed; }));
    ASSERT_TRUE(test.linked.command({"PUBLISH", "one", "hello"}));
    EXPECT_TRUE(test.linked.until([&] { return heard == std::vector<std::string>{"hello"}; }));
}

// While a slot moves, its keys are at the one node or at the other; every reader and writer must find them.
TEST(RedisCluster, a_slot_that_moves_under_load_costs_nobody_an_answer) {
    Clustered test;
    ASSERT_TRUE(test.whole());
    const std::uint16_t slot = slot_of("tag");
    const std::size_t from = test.cluster.owner_of(slot), to = (from + 1) % test.cluster.size();
    for (int i = 0; i < 20; ++i) ASSERT_EQ(test.linked.command({"SET", key_in("tag", i), "right"})->text, "OK");

    std::vector<std::string> outcomes;
    bool stop = false;
    auto read = [&](int first) -> asio::awaitable<void> {
        for (int i = first;; i = (i + 1) % 20) {
            if (stop) co_return;
            const std::string key = key_in("tag", i);
            const std::array<std::string_view, 2> get = {"GET", key};
            const auto value = co_await test.linked.link.command(get, within(5s));
            outcomes.push_back(value ? value->text : value.error().message);
            co_await net::sleep_for(1ms);
        }
    };
    for (int i = 0; i < 5; ++i) test.linked.tasks.spawn("read", read(i));
    const auto more = [&](std::size_t count) {
        const std::size_t before = outcomes.size();
        return test.linked.until([&] { return outcomes.size() >= before + count; });
    };
    ASSERT_TRUE(more(50));
    test.cluster.begin_move(slot, from, to);
    for (int i = 0; i < 20; ++i) {
        test.cluster.move_key(key_in("tag", i), from, to);
        ASSERT_TRUE(more(20));
    }
    EXPECT_GT(errors_of(test.cluster.node(from), "ASK"), 0);
    EXPECT_GT(calls_of(test.cluster.node(to), "asking"), 0);
    test.cluster.end_move(slot, to);
    ASSERT_TRUE(more(100));
    const int moved = errors_of(test.cluster.node(from), "MOVED");
    EXPECT_GT(moved, 0);
    ASSERT_TRUE(more(100));
    EXPECT_EQ(errors_of(test.cluster.node(from), "MOVED"), moved);  // it was learned
    stop = true;
    ASSERT_TRUE(test.linked.until([&] { return test.linked.tasks.running() == 0; }));
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(outcomes, "right")), outcomes.size());
    EXPECT_EQ(test.linked.command({"SET", key_in("tag", 100), "new"})->text, "OK");
}

TEST(RedisCluster, a_dead_node_costs_its_own_keys_only_until_it_is_back) {
    Clustered test;
    ASSERT_TRUE(test.whole());
    const std::size_t dead = test.cluster.owner_of(slot_of("a")), alive = test.cluster.owner_of(slot_of("b"));
    ASSERT_NE(dead, alive);
    test.cluster.node(dead).kill9();
    ASSERT_TRUE(test.linked.until([&] { return !test.linked.observer.transitions.back(); }));
    EXPECT_EQ(test.linked.command({"SET", "b", "v"})->text, "OK");
    EXPECT_TRUE(test.linked.link.up());
    const TimePoint before = net::now();
    const auto lost = test.linked.command({"GET", "a"});
    EXPECT_TRUE(!lost || lost->kind == ValueKind::error);
    EXPECT_LT(net::now() - before, 1s);
    test.cluster.node(dead).start();
    ASSERT_TRUE(test.linked.until(
        [&] {
            const auto reply = test.linked.command({"SET", "a", "v"});
            return reply && reply->text == "OK";
        },
        30s));
    EXPECT_TRUE(test.whole());
    EXPECT_TRUE(test.linked.observer.fallen.empty());
}

TEST(RedisCluster, begins_with_whichever_node_of_its_url_lives) {
    support::RedisCluster cluster;
    Address address = parse_url(cluster.url()).value();
    address.endpoints.erase(address.endpoints.begin() + 1, address.endpoints.end());
    address.endpoints.insert(address.endpoints.begin(), Endpoint{"127.0.0.1", 1, {}});
    Linked linked(address);
    ASSERT_TRUE(linked.until([&] { return !linked.observer.transitions.empty() && linked.observer.transitions.back(); }));
    EXPECT_EQ(linked.command({"SET", "a", "v"})->text, "OK");
    EXPECT_EQ(linked.command({"SET", "b", "v"})->text, "OK");
}

TEST(RedisCluster, a_server_that_is_none_says_so) {
    support::Redis server;
    Linked linked("redis+cluster://127.0.0.1:" + std::to_string(server.port()));
    ASSERT_TRUE(linked.until([&] { return !linked.observer.reasons.empty(); }));
    EXPECT_NE(linked.observer.reasons.front().find("cluster support disabled"), std::string::npos);
    EXPECT_FALSE(linked.link.up());
    EXPECT_FALSE(linked.command({"GET", "k"}));
}

TEST(RedisCluster, redirects_that_never_end_are_followed_a_few_times) {
    const std::string map = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:PORT\r\n";
    std::vector<std::string> answers = {greeting_answer, map};
    for (int i = 0; i < 20; ++i) answers.emplace_back("-MOVED 12182 127.0.0.1:PORT\r\n");
    asio::io_context context{1};
    Witness observer;
    net::TaskGroup tasks{context, observer};
    FakeServer server(context, tasks, answers);
    Address address = server.address();
    address.topology = Topology::cluster;
    Link link(context, address, observer);
    link.start();
    ASSERT_TRUE(support::run_while_not(
        context, [&] { return link.up(); }, 10s));
    const std::array<std::string_view, 1> ping = {"PING"};
    EXPECT_EQ(support::run_until(context, link.command(ping, within(5s)))->kind, ValueKind::array);
    const std::array<std::string_view, 2> get = {"GET", "foo"};
    const auto reply = support::run_until(context, link.command(get, within(5s)));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->text.starts_with("MOVED"));
    end(context, [&] { link.stop(), tasks.cancel(); });
}

}  // namespace millrace::redis::test
