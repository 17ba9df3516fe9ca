// Scripts through the link: by digest, by source where the server does not know them, and after it has forgotten them.
#include <gtest/gtest.h>

#include <algorithm>

#include "redis_fixture.hpp"
#include "servers.hpp"

namespace millrace::redis::test {
namespace {

const Script keep_larger(
    "if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '-1') then redis.call('SET', KEYS[1], ARGV[1]) return 1 "
    "end return 0");

struct Scripted : Linked {
    explicit Scripted(const std::string& url) : Linked(url) {}

    Result<Value> run(const Script& script, std::vector<std::string_view> keys, std::vector<std::string_view> arguments) {
        return support::run_until(context, link.command(script, keys, arguments, within(5s)));
    }
    // How often the server was told so since it began to count.
    int calls(const std::string& name) {
        const std::string stats = command({"INFO", "commandstats"}).value().text;
        const auto at = stats.find("cmdstat_" + name + ":calls=");
        return at == std::string::npos ? 0 : std::stoi(stats.substr(at + 15 + name.size()));
    }
};

}  // namespace

TEST(RedisScript, is_called_by_the_digest_that_the_server_knows) {
    EXPECT_EQ(Script("return 1").sha1, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST(RedisScript, its_source_is_sent_once_a_connection) {
    support::Redis server;
    Scripted test(server.url());
    ASSERT_TRUE(test.until_up());
    EXPECT_EQ(test.run(keep_larger, {"k"}, {"5"})->integer, 1);
    EXPECT_EQ(test.run(keep_larger, {"k"}, {"4"})->integer, 0);
    EXPECT_EQ(test.run(keep_larger, {"k"}, {"6"})->integer, 1);
    EXPECT_EQ(test.command({"GET", "k"})->text, "6");
    EXPECT_EQ(test.calls("eval"), 1);
    EXPECT_EQ(test.calls("evalsha"), 2);
}

TEST(RedisScript, a_server_that_forgot_it_is_told_again_within_the_call) {
    support::Redis server;
    Scripted test(server.url());
    ASSERT_TRUE(test.until_up());
    EXPECT_EQ(test.run(keep_larger, {"k"}, {"5"})->integer, 1);
    EXPECT_EQ(test.command({"SCRIPT", "FLUSH"})->text, "OK");
    EXPECT_EQ(test.run(keep_larger, {"k"}, {"6"})->integer, 1);
    EXPECT_EQ(test.calls("eval"), 2);
    EXPECT_EQ(test.calls("evalsha"), 1);
}

TEST(RedisScript, one_that_is_posted_and_not_known_is_dropped_and_the_next_is_not) {
    support::Redis server;
    Scripted test(server.url());
    ASSERT_TRUE(test.until_up());
    const std::array<std::string_view, 1> key = {"k"}, five = {"5"}, six = {"6"}, seven = {"7"};
    test.link.post(keep_larger, key, five);
    EXPECT_EQ(test.command({"GET", "k"})->text, "5");
    EXPECT_EQ(test.command({"SCRIPT", "FLUSH"})->text, "OK");
    test.link.post(keep_larger, key, six);
    EXPECT_EQ(test.command({"GET", "k"})->text, "5");
    test.link.post(keep_larger, key, seven);
    EXPECT_EQ(test.command({"GET", "k"})->text, "7");
}

TEST(RedisScript, many_at_once_are_each_answered_for_themselves) {
    support::Redis server;
    Scripted test(server.url());
    ASSERT_TRUE(test.until_up());
    const Script echo("return ARGV[1] .. KEYS[1]");
    std::vector<std::string> outcomes;
    auto call = [&](int i) -> asio::awaitable<void> {
        const std::string key = std::to_string(i), binary("\0\r\n", 3);
        const std::array<std::string_view, 1> keys = {key}, arguments = {binary};
        const auto value = co_await test.link.command(echo, keys, arguments, within(5s));
        outcomes.push_back(value && value->text == binary + key ? "right" : "wrong");
    };
    for (int i = 0; i < 200; ++i) test.tasks.spawn("call", call(i));
    ASSERT_TRUE(test.until([&] { return outcomes.size() == 200; }));
    EXPECT_EQ(std::ranges::count(outcomes, "right"), 200);
    EXPECT_EQ(test.calls("eval"), 1);
}

TEST(RedisScript, what_it_raises_is_an_error_value) {
    support::Redis server;
    Scripted test(server.url());
    ASSERT_TRUE(test.until_up());
    EXPECT_EQ(test.run(Script("return redis.error_reply('NO such luck')"), {}, {})->text, "NO such luck");
    EXPECT_EQ(test.run(Script("this is no Lua"), {}, {})->kind, ValueKind::error);
    EXPECT_EQ(test.run(Script("this is no Lua"), {}, {})->kind, ValueKind::error);
}

}  // namespace millrace::redis::test
