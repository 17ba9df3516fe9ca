// The pool and a Postgres that says nothing, retries under a budget, and URLs of several hosts.
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <fstream>

#include "pg_pool_fixture.hpp"

namespace pool_tests {
namespace {

// All of a private server, held up as a machine without CPU is.
class SilentPostgres : public PgPool {
protected:
    SilentPostgres() {
        settings.url = postgres.url();
        limits.breaker_failures_max = 3;
        limits.breaker_open_ms = 300;
    }
    ~SilentPostgres() override { signal_all(SIGCONT); }

    void signal_all(int number) const {
        ::kill(postgres.pid(), number);  // first: nobody is born meanwhile
        const std::string parent = std::to_string(postgres.pid());
        std::ifstream children("/proc/" + parent + "/task/" + parent + "/children");
        for (pid_t child = 0; children >> child;) ::kill(child, number);
    }

    void connect_all() {
        start();
        const std::size_t slow = settings.slow_lanes;
        ASSERT_TRUE(run_until(
            [&] { return observer.gauges[0].connected == 2 && observer.gauges[1].connected == static_cast<int>(slow); }));
    }

    Call ask_briefly(LaneClass lane = LaneClass::fast) {
        Call call(script("select 1"), lane);
        call.patience = 100ms;
        return ask(call);
    }

    // Two are asked of it, one at a time: the second waits, and learns that the breaker has opened.
    void expect_the_second_is_told(std::uint64_t route_max) {
        connect_all();
        signal_all(SIGSTOP);
        std::vector<Call> calls(2, Call(script("select 1"), LaneClass::slow));
        for (Call& call : calls) call.route_max = route_max;
        begin(calls);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_briefly().code(), "MR023");
        finish(calls[1]);
        EXPECT_EQ(calls[1].code(), "PGRST001");
        EXPECT_FALSE(calls[0].answer.has_value());
        signal_all(SIGCONT);
        finish(calls[0]);
    }

    support::Postgres postgres;
};

TEST_F(SilentPostgres, is_left_alone_after_several_have_waited_in_vain) {
    connect_all();
    signal_all(SIGSTOP);
    for (const LaneClass lane : {LaneClass::fast, LaneClass::slow, LaneClass::fast})
        EXPECT_EQ(ask_briefly(lane).code(), "MR023");
    ASSERT_TRUE(run_until([&] { return observer.count<events::BreakerChanged>() == 1; }));
    EXPECT_TRUE(pool->left_alone());
    const auto before = net::now();
    Call refused = ask(script("select 1"));
    EXPECT_LT(net::now() - before, 100ms);
    EXPECT_EQ(refused.code(), "MR053");
    EXPECT_EQ(refused.answer->error().status, 503);
    EXPECT_EQ(refused.answer->error().headers.at(0).first, "Retry-After");
    // One tries it after a while, in vain, and the others are refused again.
    ASSERT_TRUE(run_until([&] { return !pool->left_alone(); }));
    EXPECT_EQ(ask_briefly().code(), "MR023");
    EXPECT_EQ(ask(script("select 1")).code(), "MR053");
    // Its first result is enough.
    signal_all(SIGCONT);
    ASSERT_TRUE(run_until([&] { return observer.count<events::BreakerChanged>() == 2; }));
    EXPECT_EQ(ask(script("select 'well'")).cell(), "well");
}

TEST_F(SilentPostgres, who_waits_for_a_lane_then_need_not_wait_on) {
    settings.slow_lanes = 1;
    limits.adaptive = false;
    expect_the_second_is_told(0);
}

TEST_F(SilentPostgres, nor_need_who_waits_for_his_routes_share_of_the_lanes) { expect_the_second_is_told(1); }

// Takes connections to a port and ends them.
class Slammer {
public:
    Slammer(asio::io_context& context, std::uint16_t port)
        : acceptor_(context, {asio::ip::address_v4::loopback(), port}, true) {
        accept();
    }
    [[nodiscard]] int count() const { return count_; }

private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, const asio::ip::tcp::socket&) {
            if (error) return;
            ++count_;
            accept();
        });
    }
    asio::ip::tcp::acceptor acceptor_;
    int count_ = 0;
};

TEST_F(PgPool, the_first_lane_that_connects_has_the_others_try_at_once) {
    support::Postgres own;
    settings.url = own.url();
    settings.fast_lanes = settings.slow_lanes = 4;
    const auto connected = [&] { return observer.gauges[0].connected + observer.gauges[1].connected; };
    start();
    ASSERT_TRUE(run_until([&] { return connected() == 8; }));
    own.stop();
    {
        Slammer slammer(context, own.port());
        ASSERT_TRUE(run_until([&] { return slammer.count() >= 8 * 5; })) << "by then they wait for seconds";
    }
    own.start();
    ASSERT_TRUE(run_until([&] { return connected() > 0; }));
    EXPECT_TRUE(run_until([&] { return connected() == 8; }, 500ms));
}

TEST_F(PgPool, slow_statements_and_errors_are_no_silence) {
    limits.breaker_failures_max = 1;
    start();
    ASSERT_EQ(ask(script("select 1")).cell(), "1");
    Call slow(script("select pg_sleep(30)"), LaneClass::slow);
    slow.patience = 300ms;
    begin(slow);
    while (!slow.answer) EXPECT_EQ(ask(script("select 1/0")).code(), "22012");
    EXPECT_EQ(slow.code(), "MR023");
    EXPECT_EQ(ask(script("select 1")).cell(), "1");
    EXPECT_EQ(observer.count<events::BreakerChanged>(), 0U);
}

TEST_F(PgPool, reads_are_sent_once_more_as_far_as_the_budget_goes) {
    limits.retry_budget_percent = 0;
    start();
    Call call(script("select pg_sleep(0.5), 'read'"), LaneClass::slow);
    begin(call);
    ASSERT_TRUE(
        run_until([&] { return execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"; }));
    execute("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'millrace'");
    finish(call);
    EXPECT_EQ(call.code(), "PGRST001");
    EXPECT_FALSE(call.answer->error().details.has_value()) << "nothing is unknown about a read";
}

TEST_F(PgPool, a_url_of_several_hosts_means_the_one_that_takes_writes) {
    support::Postgres other({"default_transaction_read_only=on"});
    const std::string mine = "127.0.0.1:" + std::to_string(support::shared_postgres().port());
    const std::string theirs = "127.0.0.1:" + std::to_string(other.port());
    const std::string both = "postgresql://postgres@" + theirs + "," + mine + "/postgres";
    settings.url = both;
    start();
    EXPECT_EQ(ask(script("show default_transaction_read_only")).cell(), "off");
    support::run_until(context, pool->stop());
    settings.url = both + "?target_session_attrs=any";
    start();
    EXPECT_EQ(ask(script("show default_transaction_read_only")).cell(), "on");
}

TEST(EachHost, has_a_url_of_its_own) {
    using Urls = std::vector<std::string>;
    const std::string one = "postgresql://api@db1:5433/shop?sslmode=require";
    EXPECT_EQ(pg::each_host(one), Urls{one});
    EXPECT_EQ(pg::each_host("no://url"), Urls{"no://url"});
    const auto several = pg::each_host("postgresql://api:it%27s@db1:5433,db2,[::1]:5434/shop?target_session_attrs=standby");
    ASSERT_EQ(several.size(), 3U);
    EXPECT_NE(several[0].find("host='db1'"), std::string::npos) << several[0];
    EXPECT_NE(several[0].find("port='5433'"), std::string::npos) << several[0];
    EXPECT_NE(several[0].find(R"(password='it\'s')"), std::string::npos) << several[0];
    EXPECT_NE(several[1].find("host='db2'"), std::string::npos) << several[1];
    EXPECT_EQ(several[1].find("543"), std::string::npos) << several[1];
    EXPECT_NE(several[2].find("host='::1'"), std::string::npos) << several[2];
    for (const std::string& url : several) {
        EXPECT_NE(url.find("target_session_attrs='standby'"), std::string::npos) << url;
        EXPECT_EQ(pg::each_host(url), Urls{url});
    }
    const auto same_port = pg::each_host("host=a,b port=6000 dbname=shop");
    for (const std::string& url : same_port) EXPECT_NE(url.find("port='6000'"), std::string::npos) << url;
}

}  // namespace
}  // namespace pool_tests
