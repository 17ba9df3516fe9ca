// The ACL user that docs/operations.md tells to make: with it everything works, and nothing else does.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "redis_fixture.hpp"
#include "servers.hpp"

namespace millrace::redis::test {
namespace {

// The words of the documented command, with a password.
std::vector<std::string> documented_user() {
    std::ifstream file(MILLRACE_SOURCE_DIR "/docs/operations.md");
    std::string line;
    while (std::getline(file, line) && line.find("    ACL SETUSER ") != 0) {
    }
    std::istringstream words(line);
    std::vector<std::string> command;
    for (std::string word; words >> word;) command.push_back(word == ">PASSWORD" ? ">pw" : word);
    return command;
}

}  // namespace

TEST(RedisAcl, the_documented_user_can_do_all_that_is_needed_and_no_more) {
    support::Redis server;
    ASSERT_EQ(server.execute(documented_user()), "OK");
    Address address = parse_url(server.url()).value();
    address.user = "millrace";
    address.password = "pw";
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
