// The listener against a real Postgres: what it hears, in which order, and what it says about gaps.
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "running.hpp"
#include "servers.hpp"

namespace {

using namespace millrace;
using namespace std::chrono_literals;
namespace asio = boost::asio;

class PgListener : public ::testing::Test {
protected:
    void start(const std::string& url, Duration beat = 20ms) {
        pg::Notifications callbacks;
        callbacks.notified = [this](std::string_view payload, std::string_view channel) {
            heard.push_back(std::string(channel) + ":" + std::string(payload));
        };
        callbacks.listening = [this](std::string_view snapshot) {
            ++gaps_ended;
            last_snapshot = snapshot;
        };
        callbacks.heartbeat = [this](std::string_view snapshot, TimePoint asked) {
            ++beats;
            last_snapshot = snapshot;
            last_lag = net::now() - asked;
            heard_at_beat = heard.size();
        };
        callbacks.lost = [this](std::string_view reason) { lost.emplace_back(reason); };
        listener.emplace(context, url, std::vector<std::string>{"millrace", "Odd \"name\""}, beat, callbacks);
        listener->start();
    }

    template <class Condition>
    bool run_until(Condition done, Duration timeout = 20s) {
        return support::run_while_not(context, done, timeout);
    }

    void TearDown() override {
        if (listener) listener->stop();
        context.restart();
        context.run();  // ends: nothing of it is left
    }

    asio::io_context context{1};
    std::vector<std::string> heard, lost;
    std::string last_snapshot;
    int gaps_ended = 0, beats = 0;
    std::size_t heard_at_beat = 0;
    Duration last_lag{};
    std::optional<pg::Listener> listener;
};

TEST_F(PgListener, hears_its_channels_in_order) {
    auto& postgres = support::shared_postgres();
    const auto url = postgres.create_database("listen");
    start(url);
    ASSERT_TRUE(run_until([&] { return gaps_ended == 1; }));
    EXPECT_NE(last_snapshot.find(':'), std::string::npos);
    postgres.execute("notify millrace, 'one'", "listen");
    postgres.execute("notify other, 'unheard'", "listen");
    postgres.execute("begin; notify \"Odd \"\"name\"\"\", 'two'; notify millrace, 'three'; commit", "listen");
    ASSERT_TRUE(run_until([&] { return heard.size() == 3; }));
    EXPECT_EQ(heard, (std::vector<std::string>{"millrace:one", "Odd \"name\":two", "millrace:three"}));
    EXPECT_TRUE(lost.empty());
}

TEST_F(PgListener, a_heartbeat_comes_after_all_that_its_snapshot_sees) {
    auto& postgres = support::shared_postgres();
    start(postgres.create_database("listen"));
    ASSERT_TRUE(run_until([&] { return beats > 0; }));
    for (int round = 0; round < 10; ++round) {
        const auto xid = postgres.execute("select pg_current_xact_id() from pg_notify('millrace', 'x')", "listen");
        const auto before = beats;
        ASSERT_TRUE(run_until([&] { return beats > before + 1; }));
        const auto visible =
            postgres.execute("select pg_visible_in_snapshot('" + xid + "', '" + last_snapshot + "')", "listen");
        EXPECT_EQ(visible, "t");
        EXPECT_EQ(heard_at_beat, static_cast<std::size_t>(round + 1));
    }
    EXPECT_GT(last_lag, 0ms);
    EXPECT_LT(last_lag, 5s);
}

TEST_F(PgListener, two_listeners_do_not_hear_each_others_beats) {
    const auto url = support::shared_postgres().create_database("listen");
    start(url);
    pg::Notifications callbacks;
    int others = 0;
    callbacks.heartbeat = [&](std::string_view, TimePoint) { ++others; };
    pg::Listener other(context, url, {"millrace"}, 20ms, callbacks);
    other.start();
    ASSERT_TRUE(run_until([&] { return beats > 5 && others > 5; }));
    EXPECT_TRUE(heard.empty());
}

TEST_F(PgListener, a_gap_is_told_and_ended_by_a_snapshot) {
    auto& postgres = support::shared_postgres();
    start(postgres.create_database("listen"));
    for (int round = 1; round <= 3; ++round) {
        ASSERT_TRUE(run_until([&] { return gaps_ended == round && beats > 0; }));
        postgres.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'listen' and pid <> pg_backend_pid()");
        ASSERT_TRUE(run_until([&] { return lost.size() == static_cast<std::size_t>(round); }));
        beats = 0;
    }
    ASSERT_TRUE(run_until([&] { return gaps_ended == 4; }));
    postgres.execute("notify millrace, 'again'", "listen");
    ASSERT_TRUE(run_until([&] { return heard.size() == 1; }));
}

TEST_F(PgListener, survives_a_restart_and_says_lost_once) {
    support::Postgres postgres;
    start(postgres.url());
    ASSERT_TRUE(run_until([&] { return gaps_ended == 1; }));
    postgres.stop();
    ASSERT_TRUE(run_until([&] { return lost.size() == 1; }));
    const auto a_few_attempts = net::now() + 300ms;
    ASSERT_TRUE(run_until([&] { return net::now() > a_few_attempts; }));
    postgres.start();
    ASSERT_TRUE(run_until([&] { return gaps_ended == 2; }));
    EXPECT_EQ(lost.size(), 1u);
}

TEST_F(PgListener, a_peer_that_falls_silent_is_given_up) {
    support::Postgres postgres;
    start(postgres.url());
    ASSERT_TRUE(run_until([&] { return beats > 0; }));
    const auto pid = std::stoi(postgres.execute("select pid from pg_stat_activity where application_name = 'millrace'"));
    ::kill(pid, SIGSTOP);
    ASSERT_TRUE(run_until([&] { return !lost.empty(); }));
    EXPECT_EQ(lost[0], "the heartbeat did not come back");
    ASSERT_TRUE(run_until([&] { return gaps_ended == 2; }));
    ::kill(pid, SIGCONT);
}

TEST_F(PgListener, tells_that_it_cannot_connect_and_stops_while_it_tries) {
    asio::ip::tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    start("postgresql://postgres@127.0.0.1:" + std::to_string(support::free_port()) + "/none");
    ASSERT_TRUE(run_until([&] { return !lost.empty(); }));
    listener->stop();
    start("postgresql://postgres@127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/none");
    const auto a_while = net::now() + 50ms;
    ASSERT_TRUE(run_until([&] { return net::now() > a_while; }));
    const auto before = net::now();
    listener->stop();
    context.restart();
    context.run();
    EXPECT_LT(net::now() - before, 2s);
    EXPECT_EQ(lost.size(), 1u);
}

}  // namespace
