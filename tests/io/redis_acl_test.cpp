// The ACL user that docs/operations.md tells to make: with it everything works, and nothing else does.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "redis_fixture.hpp"
#include "redis_topologies.hpp"
#include "slots.hpp"

namespace millrace::redis::test {
namespace {

// The words of the documented command, with a password and with what a topology needs besides.
std::vector<std::string> documented_user(const std::vector<std::string>& besides = {}) {
    std::ifstream file(MILLRACE_SOURCE_DIR "/docs/operations.md");
    std::string line;
    while (std::getline(file, line) && line.find("    ACL SETUSER ") != 0) {
    }
    if (!file) throw std::runtime_error("docs/operations.md has no line that begins with ACL SETUSER");
    std::istringstream words(line);
    std::vector<std::string> command;
    for (std::string word; words >> word;) command.push_back(word == ">PASSWORD" ? ">pw" : word);
    command.insert(command.end(), besides.begin(), besides.end());
    return command;
}

Address as_that_user(const std::string& url) {
    Address address = parse_url(url).value();
    address.user = "millrace";
    address.password = "pw";
    return address;
}

}  // namespace

TEST(RedisAcl, the_documented_user_can_do_all_that_is_needed_and_no_more) {
    support::Redis server;
    ASSERT_EQ(server.execute(documented_user()), "OK");
    Address address = as_that_user(server.url());
    address.database = 1;
    Linked linked(address);
    ASSERT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"SET", "millrace:k", "v", "PX", "60000"})->text, "OK");
    EXPECT_EQ(linked.command({"GET", "millrace:k"})->text, "v");
    EXPECT_EQ(linked.command({"DEL", "{millrace:x}:k"})->integer, 0);
    const Script script("redis.call('set', KEYS[1], ARGV[1], 'px', '60000') return redis.call('get', KEYS[1])");
    const std::array<std::string_view, 1> keys = {"{millrace:x}:k"}, text = {"w"};
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(support::run_until(linked.context, linked.link.command(script, keys, text, within(5s)))->text, "w");

    std::string heard;
    bool subscribed = false;
    Messages messages;
    messages.message = [&](std::string_view, std::string_view payload) { heard = payload; };
    messages.subscribed = [&] { subscribed = true; };
    messages.lost = [](std::string_view) {};
    Subscription subscription(linked.context, address, {"millrace:c", "{millrace:x}:c"}, messages, linked.observer);
    subscription.start();
    ASSERT_TRUE(linked.until([&] { return subscribed; }));
    EXPECT_EQ(linked.command({"PUBLISH", "{millrace:x}:c", "hello"})->integer, 1);
    EXPECT_TRUE(linked.until([&] { return heard == "hello"; }));

    for (const std::vector<std::string_view>& refused : {std::vector<std::string_view>{"FLUSHALL"},
                                                         {"GET", "other:k"},
                                                         {"KEYS", "*"},
                                                         {"CONFIG", "GET", "requirepass"},
                                                         {"PUBLISH", "other", "x"},
                                                         {"CLIENT", "LIST"}})
        EXPECT_TRUE(linked.command(refused)->text.starts_with("NOPERM")) << refused.front();
}

TEST(RedisAcl, in_a_cluster_it_needs_the_map_and_asking_besides) {
    support::RedisCluster cluster;
    for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).execute(documented_user({"+cluster|slots", "+asking"}));
    Linked linked(as_that_user(cluster.url()));
    ASSERT_TRUE(linked.until([&] { return linked.observer.transitions == std::vector<bool>{true}; }));
    const std::string key = "{millrace:x}:k";
    const std::uint16_t slot = slot_of(key);
    const std::size_t from = cluster.owner_of(slot), to = (from + 1) % cluster.size();
    cluster.begin_move(slot, from, to);
    EXPECT_EQ(linked.command({"SET", key, "v"})->text, "OK");
    EXPECT_EQ(cluster.node(to).execute({"DBSIZE"}), "1");
}

TEST(RedisAcl, behind_sentinels_it_needs_its_role_and_a_user_there) {
    support::Redis master;
    support::Sentinels sentinels(master, 1, 1);
    master.execute(documented_user({"+role"}));
    sentinels.execute({"ACL", "SETUSER", "watcher", "on", ">watch", "resetchannels", "&+switch-master", "-@all", "+ping",
                       "+client|setname", "+sentinel|get-master-addr-by-name", "+subscribe"});
    Address address = as_that_user(sentinels.url());
    address.sentinel_user = "watcher";
    address.sentinel_password = "watch";
    Linked linked(address);
    ASSERT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"SET", "millrace:k", "v"})->text, "OK");

    Address sentinel;
    sentinel.endpoints = address.endpoints;
    sentinel.user = "watcher";
    sentinel.password = "watch";
    bool subscribed = false;
    Messages messages;
    messages.message = [](std::string_view, std::string_view) {};
    messages.subscribed = [&] { subscribed = true; };
    messages.lost = [](std::string_view reason) { ADD_FAILURE() << reason; };
    Subscription subscription(linked.context, sentinel, {"+switch-master"}, messages, linked.observer);
    subscription.start();
    EXPECT_TRUE(linked.until([&] { return subscribed; }));
}

TEST(RedisAcl, a_channel_that_is_not_ours_is_said_to_be_lost) {
    support::Redis server;
    server.execute({"ACL", "SETUSER", "app", "on", ">pw", "resetchannels", "&one", "~*", "+@all"});
    Address address = parse_url(server.url()).value();
    address.user = "app";
    address.password = "pw";
    asio::io_context context{1};
    Witness observer;
    std::string lost;
    Messages messages;
    messages.message = [](std::string_view, std::string_view) {};
    messages.subscribed = [] { ADD_FAILURE(); };
    messages.lost = [&](std::string_view reason) { lost = reason; };
    Subscription subscription(context, address, {"one", "two"}, messages, observer);
    subscription.start();
    ASSERT_TRUE(support::run_while_not(
        context, [&] { return !lost.empty(); }, 10s));
    EXPECT_TRUE(lost.starts_with("NOPERM")) << lost;
    end(context, [&] { subscription.stop(); });
}

}  // namespace millrace::redis::test
