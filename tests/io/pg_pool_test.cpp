// The pool against a real Postgres: results, order, isolation of neighbours, prepared statements, transactions.
#include "pg_pool_fixture.hpp"

namespace pool_tests {
namespace {

TEST_F(PgPool, returns_rows_with_nulls_apart_from_empty_strings) {
    start();
    auto call = ask(script("select 1, null::text, '', 'é' union all select $1::int, $2, 'x', 'y'", {"2", std::nullopt}));
    ASSERT_TRUE(call.ok());
    const auto& rows = call.answer->value().at(0);
    ASSERT_EQ(rows.count(), 2u);
    ASSERT_EQ(rows.columns, 4u);
    EXPECT_EQ(rows.at(0, 0), "1");
    EXPECT_TRUE(rows.is_null(0, 1));
    EXPECT_FALSE(rows.is_null(0, 2));
    EXPECT_EQ(rows.at(0, 2), "");
    EXPECT_EQ(rows.at(0, 3), "é");
    EXPECT_EQ(rows.at(1, 0), "2");
    EXPECT_TRUE(rows.is_null(1, 1));
}

TEST_F(PgPool, rows_outlive_the_pool) {
    start();
    auto call = ask(script("select repeat('x', 100000)"));
    support::run_until(context, pool->stop());
    pool.reset();
    EXPECT_EQ(call.cell(), std::string(100000, 'x'));
}

TEST_F(PgPool, tells_how_many_rows_a_write_touched) {
    execute("create table t(n int)");
    start();
    EXPECT_EQ(ask(write("insert into t select generate_series(1, 7)")).answer->value()[0].affected, 7u);
    EXPECT_EQ(ask(write("update t set n = 0 where n > 4 returning n")).answer->value()[0].affected, 3u);
    EXPECT_EQ(ask(script("select n from t")).answer->value()[0].affected, 0u);
}

TEST_F(PgPool, gives_each_of_many_pipelined_requests_its_own_answer) {
    settings.fast_lanes = 1;
    start();
    std::vector<Call> calls(500);
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i].script = script("select $1::int", {std::to_string(i)});
    settings.queue_max = 1000;
    pool.emplace(context, settings, observer);
    pool->start();
    begin(calls);
    finish(calls);
    for (std::size_t i = 0; i < calls.size(); ++i) ASSERT_EQ(calls[i].cell(), std::to_string(i));
}

TEST_F(PgPool, sends_more_than_the_socket_holds) {
    start();
    std::vector<Call> calls(20);
    for (auto& call : calls) call.script = script("select length($1)", {std::string(2'000'000, 'y')});
    begin(calls);
    finish(calls);
    for (const auto& call : calls) ASSERT_EQ(call.cell(), "2000000");
}

TEST_F(PgPool, an_error_in_a_pipeline_hurts_no_neighbour) {
    settings.fast_lanes = 1;
    start();
    for (int round = 0; round < 3; ++round) {
        std::vector<Call> calls(9);
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const bool bad = i % 3 == 1;
            calls[i].script = bad ? script({statement("select 1 / $1::int", {"0"}), statement("select 'after'")})
                                  : script("select $1::text", {std::to_string(i)});
        }
        begin(calls);
        finish(calls);
        for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ(calls[i].code(), i % 3 == 1 ? "22012" : "ok") << i;
    }
}

TEST_F(PgPool, reports_what_postgres_says) {
    start();
    auto call = ask(script("do $$ begin raise exception 'no' using errcode = 'P0001', detail = 'd', hint = 'h'; end $$"));
    const auto& error = call.answer->error();
    EXPECT_EQ(error.code, "P0001");
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.message, "no");
    EXPECT_EQ(error.details, "d");
    EXPECT_EQ(error.hint, "h");
}

TEST_F(PgPool, an_error_at_commit_is_that_requests_own) {
    execute("create table p(id int primary key); create table c(p int references p deferrable initially deferred)");
    settings.fast_lanes = 1;
    start();
    for (const bool with_closing : {false, true}) {
        std::vector<Call> calls(3);
        calls[0].script = script("select 1");
        calls[1].script = write("insert into c values (1)");
        calls[2].script = script("select 3");
        if (with_closing) calls[1].closing = agree;
        begin(calls);
        finish(calls);
        EXPECT_EQ(calls[0].cell(), "1");
        EXPECT_EQ(calls[1].code(), "23503");
        EXPECT_EQ(calls[2].cell(), "3");
    }
    EXPECT_EQ(execute("select count(*) from c"), "0");
}

TEST_F(PgPool, settings_of_a_request_end_with_it) {
    settings.fast_lanes = 1;
    start();
    std::vector<Call> calls(4);
    const auto claims = statement("select set_config('request.claims', $1, true)", {"mine"});
    const auto look = statement("select current_setting('request.claims', true)");
    calls[0].script = script({look});
    calls[1].script = script({claims, look});
    calls[2].script = script({claims, statement("select 1 / 0")});
    calls[3].script = script({look});
    begin(calls);
    finish(calls);
    EXPECT_EQ(calls[0].cell(), "");
    EXPECT_EQ(calls[1].cell(), "mine");
    EXPECT_EQ(calls[2].code(), "22012");
    EXPECT_EQ(calls[3].cell(), "");
}

TEST_F(PgPool, lanes_act_as_the_anonymous_role_and_requests_as_their_own) {
    execute(R"(do $$ begin
        if not exists (select from pg_roles where rolname = 'Some "anon"') then create role "Some ""anon"""; end if;
        if not exists (select from pg_roles where rolname = 'member') then create role member; end if; end $$)");
    settings.anonymous_role = "Some \"anon\"";
    start();
    const auto become = statement("select set_config('role', $1, true)", {"member"});
    EXPECT_EQ(ask(script("select current_user")).cell(), settings.anonymous_role);
    EXPECT_EQ(ask(script({become, statement("select current_user")})).cell(), "member");
    EXPECT_EQ(ask(script("select current_user")).cell(), settings.anonymous_role);
}

TEST_F(PgPool, a_session_is_what_the_renderer_of_rows_expects) {
    execute("alter database pool set datestyle = 'German'");
    start();
    EXPECT_EQ(ask(script("select date '2026-12-31'")).cell(), "2026-12-31");
    EXPECT_EQ(ask(script("select current_setting('client_encoding')")).cell(), "UTF8");
    EXPECT_EQ(ask(script("select current_setting('application_name')")).cell(), "millrace");
    EXPECT_EQ(ask(script("select current_setting('statement_timeout')")).cell(), "10s");
}

TEST_F(PgPool, refuses_values_that_would_be_cut_short) {
    start();
    auto call = ask(script("select $1::text", {std::string("a\0b", 3)}));
    EXPECT_EQ(call.code(), "22021");
    EXPECT_EQ(call.answer->error().status, 400);
}

TEST_F(PgPool, prepared_statements_stay_within_their_bound) {
    settings.fast_lanes = settings.slow_lanes = 1;
    settings.statements_max = 3;
    start();
    for (int round = 0; round < 3; ++round) {
        std::vector<Call> calls(8);
        for (std::size_t i = 0; i < calls.size(); ++i) calls[i].script = script("select " + std::to_string(i));
        begin(calls);
        finish(calls);
        for (std::size_t i = 0; i < calls.size(); ++i) ASSERT_EQ(calls[i].cell(), std::to_string(i));
    }
    // The one that this statement evicts itself is deallocated with the next request.
    EXPECT_EQ(ask(script("select count(*) from pg_prepared_statements")).cell(), "4");
}

TEST_F(PgPool, a_statement_is_prepared_once) {
    settings.fast_lanes = 1;
    start();
    for (int i = 0; i < 5; ++i) ask(script("select $1::int + 1", {"1"}));
    const auto count = "select count(*) from pg_prepared_statements where statement like '%+ 1'";
    EXPECT_EQ(ask(script(count)).cell(), "1");
}

TEST_F(PgPool, works_without_prepared_statements) {
    settings.statements_max = 0;
    start();
    EXPECT_EQ(ask(script("select $1::int + 1", {"1"})).cell(), "2");
    EXPECT_EQ(ask(script("select count(*) from pg_prepared_statements")).cell(), "0");
}

TEST_F(PgPool, a_prepare_that_was_skipped_is_not_remembered) {
    settings.fast_lanes = 1;
    start();
    const auto later = statement("select 'later'");
    EXPECT_EQ(ask(script({statement("select 1 / 0"), later})).code(), "22012");
    EXPECT_EQ(ask(script({later})).cell(), "later");
    // And those who relied on it while it was underway are sent again.
    std::vector<Call> calls(3);
    const auto another = statement("select 'another'");
    calls[0].script = script({statement("select 2 / 0"), another});
    calls[1].script = script({another});
    calls[2].script = script({another}, true);
    begin(calls);
    finish(calls);
    EXPECT_EQ(calls[0].code(), "22012");
    EXPECT_EQ(calls[1].code(), "ok");
    EXPECT_EQ(calls[2].code(), "ok");
}

TEST_F(PgPool, a_statement_that_cannot_be_prepared_is_an_error_each_time) {
    settings.fast_lanes = 1;
    start();
    std::vector<Call> calls(3);
    for (auto& call : calls) call.script = script("select no_such_column");
    begin(calls);
    finish(calls);
    for (const auto& call : calls) EXPECT_EQ(call.code(), "42703");
}

TEST_F(PgPool, prepares_anew_when_the_type_of_a_result_changed_or_the_name_is_gone) {
    execute("create table t(n int); insert into t values (1)");
    settings.fast_lanes = 1;
    start();
    EXPECT_EQ(ask(script("select * from t")).cell(), "1");
    execute("alter table t alter n type text");
    EXPECT_EQ(ask(script("select * from t")).cell(), "1");
    ask(script("deallocate all"));
    EXPECT_EQ(ask(script("select * from t")).cell(), "1");
    Call call{write("update t set n = n || '!' returning *"), LaneClass::slow};
    call.closing = agree;
    settings.slow_lanes = 1;
    ask(call);
    execute("alter table t add m int default 7");
    call.answer.reset();
    EXPECT_EQ(ask(call).cell(), "1!!");
}

TEST_F(PgPool, a_closing_commits_or_rolls_back) {
    execute("create table t(n int)");
    settings.slow_lanes = 1;
    start();
    using Statements = std::vector<sql::Statement>;
    Call kept{write("insert into t values (1) returning n")};
    kept.closing = [](const sql::Results& results) -> Result<Statements> {
        if (results.at(0).affected != 1) return Error::of(Fault::internal);
        return Statements();
    };
    Call refused{write("insert into t values (2), (3) returning n")};
    refused.closing = [](const sql::Results&) -> Result<Statements> { return Error::of(Fault::not_singular); };
    Call thrown{write("insert into t values (4)")};
    thrown.closing = [](const sql::Results&) -> Result<Statements> { throw std::runtime_error("surprise"); };
    Call failed{write("insert into t values (1 / $1::int)", {"0"})};
    failed.closing = kept.closing;
    EXPECT_EQ(ask(kept).cell(), "1");
    EXPECT_EQ(ask(refused).code(), "PGRST116");
    EXPECT_EQ(ask(thrown).code(), "MR999");
    EXPECT_EQ(ask(failed).code(), "22012");
    EXPECT_EQ(ask(script("select string_agg(n::text, ' ') from t"), LaneClass::slow).cell(), "1");
}

TEST_F(PgPool, what_a_closing_does_is_part_of_the_transaction) {
    execute("create table t(n int unique)");
    settings.slow_lanes = 1;
    start();
    std::vector<Call> calls(4);
    for (const std::size_t at : {0, 1, 2, 3}) {
        calls[at].script = write("insert into t values (" + std::to_string(at) + ") returning n");
        const std::string last = at == 1 ? "1 / $1::int" : "$1::int + 10";
        calls[at].closing = [last](const sql::Results& results) -> Result<std::vector<sql::Statement>> {
            const std::string cell(results.at(0).at(0, 0) == "1" ? "0" : results.at(0).at(0, 0));
            return std::vector{statement("insert into t values (" + last + ")", {cell})};
        };
        ask(calls[at]);
    }
    EXPECT_EQ(calls[1].code(), "22012");
    EXPECT_EQ(calls[1].timing.done, 1u) << "the place of what failed, behind the script's own";
    EXPECT_EQ(calls[0].timing.done, 2u);
    EXPECT_EQ(ask(script("select string_agg(n::text, ' ' order by n) from t"), LaneClass::slow).cell(), "0 2 3 10 12 13");
    EXPECT_EQ(observer.transitions, std::vector<bool>{true}) << "the lane was not given up";
}

TEST_F(PgPool, says_which_statement_failed) {
    start();
    Call call{script({statement("select 1"), statement("select 1 / $1::int", {"0"}), statement("select 3")}), LaneClass::slow};
    EXPECT_EQ(ask(call).code(), "22012");
    EXPECT_EQ(call.timing.done, 1u);
}

TEST_F(PgPool, measures_and_reports) {
    start();
    auto call = ask(script("select pg_sleep(0.05)"), LaneClass::slow);
    EXPECT_GE(call.timing.took, 50ms);
    EXPECT_GT(call.timing.waited, 0ms);  // for the connection
    EXPECT_EQ(observer.count<events::LaneWaited>(), 1u);
    EXPECT_EQ(observer.count<events::StatementFinished>(), 1u);
    EXPECT_TRUE(run_until([&] { return observer.gauges[0].connected == 2 && observer.gauges[1].connected == 4; }));
    EXPECT_EQ(observer.transitions, std::vector<bool>{true});
    EXPECT_TRUE(pool->available());
}

}  // namespace
}  // namespace pool_tests
