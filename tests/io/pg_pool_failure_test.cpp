// The pool when things go wrong: deadlines, full queues, callers that leave, backends and servers that die.
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <thread>

#include "pg_pool_fixture.hpp"

namespace pool_tests {
namespace {

// Sleeps whose statement is in pg_stat_activity, running.
std::string sleeping = "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'";

TEST_F(PgPool, a_late_statement_on_a_slow_lane_is_cancelled) {
    settings.slow_lanes = 1;
    start();
    ask(script("select 1"), LaneClass::slow);
    Call late(script("select pg_sleep(30)"), LaneClass::slow);
    late.patience = 100ms;
    const auto before = net::now();
    EXPECT_EQ(ask(late).code(), "MR023");
    EXPECT_EQ(late.answer->error().status, 504);
    EXPECT_EQ(ask(script("select 'next'"), LaneClass::slow).cell(), "next");
    EXPECT_LT(net::now() - before, 3s);
    EXPECT_EQ(execute(sleeping), "0");
    EXPECT_EQ(observer.gauges[1].connected, 1);  // the connection was kept
}

TEST_F(PgPool, a_late_transaction_is_rolled_back) {
    execute("create table t(n int)");
    settings.slow_lanes = 1;
    start();
    Call late(script({statement("insert into t values (1)"), statement("select pg_sleep(30)")}, true));
    late.closing = agree;
    late.patience = 200ms;
    EXPECT_EQ(ask(late).code(), "MR023");
    EXPECT_EQ(ask(script("select count(*) from t"), LaneClass::slow).cell(), "0");
}

TEST_F(PgPool, a_late_answer_on_a_fast_lane_is_left_to_itself) {
    settings.fast_lanes = 1;
    start();
    ask(script("select 1"));
    std::vector<Call> calls(2);
    calls[0].script = script("select pg_sleep(0.4)");
    calls[0].patience = 50ms;
    calls[1].script = script("select 'kept'");
    begin(calls);
    finish(calls[0]);
    EXPECT_EQ(calls[0].code(), "MR023");
    EXPECT_FALSE(calls[1].answer.has_value());
    finish(calls[1]);
    EXPECT_EQ(calls[1].cell(), "kept");
}

TEST_F(PgPool, a_statement_does_not_outlive_the_statement_timeout) {
    settings.statement_timeout_ms = 100;
    start();
    EXPECT_EQ(ask(script("select pg_sleep(30)")).code(), "57014");
}

TEST_F(PgPool, a_caller_that_leaves_cancels_its_slow_statement) {
    settings.slow_lanes = 1;
    start();
    ask(script("select 1"), LaneClass::slow);
    Call left(script("select pg_sleep(30)"), LaneClass::slow);
    asio::cancellation_signal leave;
    auto ended = [](std::exception_ptr) {};
    asio::co_spawn(context, run(left), asio::bind_cancellation_slot(leave.slot(), ended));
    ASSERT_TRUE(run_until([&] { return execute(sleeping) == "1"; }));
    leave.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(run_until([&] { return execute(sleeping) == "0"; }));
    EXPECT_EQ(ask(script("select 'free'"), LaneClass::slow).cell(), "free");
}

TEST_F(PgPool, queues_are_bounded_and_refuse_at_once) {
    settings.slow_lanes = 1;
    settings.queue_max = 2;
    start();
    ask(script("select 1"), LaneClass::slow);
    std::vector<Call> calls(4, Call(script("select pg_sleep(0.2)"), LaneClass::slow));
    begin(calls);
    ASSERT_TRUE(run_until([&] { return calls[3].answer.has_value(); }));
    EXPECT_EQ(calls[3].code(), "MR020");
    EXPECT_EQ(calls[3].answer->error().headers.at(0).first, "Retry-After");
    EXPECT_FALSE(calls[0].answer.has_value());
    finish(calls);
    EXPECT_EQ(calls[2].code(), "ok");
    EXPECT_GE(calls[2].timing.waited, 300ms);
}

TEST_F(PgPool, who_waits_too_long_for_a_lane_is_told_so) {
    settings.slow_lanes = 1;
    start();
    std::vector<Call> calls(2, Call(script("select pg_sleep(0.5)"), LaneClass::slow));
    calls[1].patience = 100ms;
    begin(calls);
    finish(calls);
    EXPECT_EQ(calls[0].code(), "ok");
    EXPECT_EQ(calls[1].code(), "PGRST003");
    EXPECT_EQ(calls[1].answer->error().status, 503);
}

TEST_F(PgPool, fast_requests_do_not_wait_for_slow_ones) {
    start();
    std::vector<Call> slow(8, Call(script("select pg_sleep(0.5)"), LaneClass::slow));
    begin(slow);
    EXPECT_EQ(ask(script("select 1")).cell(), "1");
    EXPECT_FALSE(slow[0].answer.has_value());
    finish(slow);
}

TEST_F(PgPool, says_at_once_that_there_is_no_database) {
    settings.url = "postgresql://postgres@127.0.0.1:" + std::to_string(support::free_port()) + "/none";
    start();
    EXPECT_FALSE(pool->available());
    EXPECT_EQ(ask(script("select 1")).code(), "PGRST001");  // waits for the first attempt
    const auto before = net::now();
    Call call = ask(script("select 1"));
    EXPECT_EQ(call.answer->error().status, 503);
    EXPECT_EQ(call.answer->error().headers.at(0).first, "Retry-After");
    EXPECT_LT(net::now() - before, 100ms);
    EXPECT_EQ(observer.transitions, std::vector<bool>{false});
}

TEST_F(PgPool, resolves_names_and_refuses_roles_that_do_not_exist) {
    settings.url = "postgresql://postgres@localhost:" + std::to_string(support::shared_postgres().port()) + "/pool";
    start();
    EXPECT_EQ(ask(script("select 1")).cell(), "1");
    support::run_until(context, pool->stop());
    settings.anonymous_role = "nobody_knows_it";
    start();
    EXPECT_EQ(ask(script("select 1")).code(), "PGRST001");
}

TEST_F(PgPool, gives_up_on_a_server_that_never_answers) {
    asio::ip::tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    settings.url = "postgresql://postgres@127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/pool";
    settings.connect_timeout_ms = 100;
    start();
    EXPECT_EQ(ask(script("select 1")).code(), "PGRST001");
}

TEST_F(PgPool, after_stop_nothing_is_taken_and_what_was_underway_has_ended) {
    start();
    Call call(script("select pg_sleep(0.2), 'done'"), LaneClass::slow);
    begin(call);
    support::run_until(context, pool->stop());
    EXPECT_EQ(call.code(), "ok");
    EXPECT_EQ(ask(script("select 1")).code(), "MR022");
    // A backend ends a moment after its connection.
    const auto lanes = "select count(*) from pg_stat_activity where application_name = 'millrace' and datname = 'pool'";
    EXPECT_TRUE(run_until([&] { return execute(lanes) == "0"; }));
}

TEST_F(PgPool, destroying_it_answers_everybody) {
    settings.slow_lanes = 1;
    start();
    std::vector<Call> calls(3, Call(script("select pg_sleep(1)"), LaneClass::slow));
    begin(calls);
    ASSERT_TRUE(run_until([&] { return execute(sleeping) == "1"; }));
    pool.reset();
    finish(calls);
    for (const auto& call : calls) EXPECT_EQ(call.code(), "MR022");
}

std::string kill_lanes = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'millrace'";

TEST_F(PgPool, reads_survive_the_end_of_their_backend_and_writes_are_not_repeated) {
    execute("create table t(n int)");
    start();
    ASSERT_TRUE(run_until([&] { return observer.gauges[1].connected == 4; }));
    std::vector<Call> calls(4, Call(script("select pg_sleep(0.5), 'read'"), LaneClass::slow));
    calls[2].script = calls[3].script = write("insert into t select 1 from pg_sleep(0.5)");
    begin(calls);
    ASSERT_TRUE(
        run_until([&] { return execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "4"; }));
    execute(kill_lanes);
    finish(calls);
    EXPECT_EQ(calls[0].code(), "ok");
    EXPECT_EQ(calls[1].code(), "ok");
    for (const auto i : {2u, 3u}) {
        EXPECT_EQ(calls[i].code(), "PGRST001");
        EXPECT_NE(calls[i].answer->error().details.value_or("").find("unknown"), std::string::npos);
    }
    EXPECT_EQ(execute("select count(*) from t"), "0");
}

TEST_F(PgPool, idle_lanes_that_are_ended_come_back) {
    start();
    const auto full = [&] { return observer.gauges[0].connected == 2 && observer.gauges[1].connected == 4; };
    ASSERT_TRUE(run_until(full));
    execute(kill_lanes);
    ASSERT_TRUE(run_until([&] { return !pool->available(); }));
    ASSERT_TRUE(run_until(full));
    EXPECT_EQ(ask(script("select 1")).cell(), "1");
    EXPECT_EQ(observer.transitions, (std::vector<bool>{true, false, true}));
}

// Readers and writers that go on and on while the server is restarted and killed under them.
class PgPoolUnderLoad : public PgPool {
protected:
    PgPoolUnderLoad() {
        settings.url = postgres.create_database("load");
        postgres.execute("create table t(n bigint primary key, times int not null default 1)", "load");
    }

    asio::awaitable<void> read_on() {
        while (!enough) {
            Call call(script("select $1::text", {"value"}));
            co_await run(call);
            if (call.ok()) ++reads;
            if (!call.ok() && call.answer->error().status != 503) wrong = call.code();
            if (!call.ok()) co_await net::sleep_for(5ms);
        }
        --running;
    }

    asio::awaitable<void> write_on() {
        while (!enough) {
            const auto key = std::to_string(++last_key);
            Call call(write("insert into t values ($1) on conflict (n) do update set times = t.times + 1", {key}),
                      LaneClass::slow);
            co_await run(call);
            if (call.ok()) acknowledged.push_back(key);
            if (!call.ok() && call.answer->error().status != 503) wrong = call.code();
            if (!call.ok()) co_await net::sleep_for(5ms);
        }
        --running;
    }

    void load(const std::function<void()>& trouble) {
        start();
        auto ended = [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        };
        for (int i = 0; i < 16; ++i) asio::co_spawn(context, read_on(), ended);
        for (int i = 0; i < 4; ++i) asio::co_spawn(context, write_on(), ended);
        running = 20;
        ASSERT_TRUE(run_until([&] { return reads > 200 && acknowledged.size() > 20; }));
        std::thread other(trouble);
        std::atomic<bool> over = false;
        std::thread waiter([&] {
            other.join();
            over = true;
        });
        ASSERT_TRUE(run_until([&] { return over.load(); }, 60s));
        waiter.join();
        const auto reads_then = reads;
        const auto writes_then = acknowledged.size();
        ASSERT_TRUE(run_until([&] { return reads > reads_then + 200 && acknowledged.size() > writes_then + 20; }));
        enough = true;
        ASSERT_TRUE(run_until([&] { return running == 0; }));
    }

    void check() {
        EXPECT_EQ(wrong, "");
        EXPECT_EQ(postgres.execute("select count(*) from t where times > 1", "load"), "0");
        std::string list = "0";
        for (const auto& key : acknowledged) list += "," + key;
        EXPECT_EQ(postgres.execute("select count(*) from t where n in (" + list + ")", "load"),
                  std::to_string(acknowledged.size()));
    }

    support::Postgres postgres;
    bool enough = false;
    int running = 0;
    std::size_t reads = 0, last_key = 0;
    std::vector<std::string> acknowledged;
    std::string wrong;
};

TEST_F(PgPoolUnderLoad, a_restart_costs_nothing_but_503_and_no_write_is_doubled) {
    load([this] { postgres.restart(); });
    check();
}

TEST_F(PgPoolUnderLoad, a_crash_costs_nothing_but_503_and_no_write_is_doubled) {
    load([this] {
        postgres.kill9();
        postgres.start();
    });
    check();
}

TEST_F(PgPoolUnderLoad, a_killed_backend_is_a_crash_of_the_server_that_recovers) {
    load([this] {
        const auto pid = postgres.execute("select pid from pg_stat_activity where application_name = 'millrace' limit 1");
        ::kill(std::stoi(pid), SIGKILL);
    });
    check();
}

}  // namespace
}  // namespace pool_tests
