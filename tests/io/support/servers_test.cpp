// The servers that tests start: they answer, they come back on the same port, and they end.
#include "servers.hpp"

#include <gtest/gtest.h>

#include "running.hpp"

namespace {

TEST(SupportPostgres, answers_and_comes_back_after_a_restart_and_a_kill) {
    support::Postgres postgres;
    (void)postgres.execute("create table kept as select 7 as n");
    postgres.restart();
    EXPECT_EQ(postgres.execute("select n from kept"), "7");
    postgres.kill9();
    EXPECT_ANY_THROW((void)postgres.execute("select 1"));
    postgres.start();
    EXPECT_EQ(postgres.execute("select n from kept"), "7");
}

TEST(SupportPostgres, makes_databases_anew) {
    auto& postgres = support::shared_postgres();
    for (int round = 0; round < 2; ++round) {
        (void)postgres.create_database("anew");
        (void)postgres.execute("create table only_once()", "anew");
    }
    EXPECT_EQ(postgres.execute("select count(*) from pg_class where relname = 'only_once'", "anew"), "1");
}

TEST(SupportRedis, comes_back_on_the_same_port) {
    support::Redis redis;
    const auto url = redis.url();
    redis.kill9();
    redis.start();
    EXPECT_EQ(redis.url(), url);
}

boost::asio::awaitable<int> seven() { co_return 7; }
boost::asio::awaitable<void> nothing() { co_return; }

TEST(RunUntil, gives_the_value_of_the_task) {
    boost::asio::io_context context(1);
    EXPECT_EQ(support::run_until(context, seven()), 7);
    support::run_until(context, nothing());
}

}  // namespace
