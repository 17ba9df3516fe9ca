// Reads whose rows come in batches: whole and in order, with a bound on what waits, and ended by error, deadline or reader.
#include "pg_pool_fixture.hpp"

namespace pool_tests {
namespace {

constexpr std::size_t kept_bytes = 100'000;

// A read through open(), its rows added up as they come.
struct Reading {
    explicit Reading(std::string text, LaneClass which = LaneClass::slow) : script(pool_tests::script(text)), lane(which) {}

    sql::Script script;
    LaneClass lane;
    Duration patience = 10s;
    pg::Timing timing;
    std::optional<Result<pg::Opened>> opened;
    std::size_t rows = 0, batches = 0, batch_bytes_max = 0;
    long sum = 0;
    std::string ended;  // "end", or the code of an error

    void add(const sql::Rows& more) {
        std::size_t bytes = 0;
        for (std::size_t row = 0; row < more.count(); ++row) sum += std::stol(std::string(more.at(row, 0)));
        for (const auto cell : more.cells) bytes += cell.size() + sizeof cell;
        rows += more.count();
        ++batches;
        batch_bytes_max = std::max(batch_bytes_max, bytes);
    }
};

class PgStream : public PgPool {
protected:
    asio::awaitable<void> open(Reading& reading) {
        const pg::Call what{.lane = reading.lane, .deadline = {net::now() + reading.patience}};
        auto opened = co_await pool->open(reading.script, what, kept_bytes, reading.timing);
        reading.opened.emplace(std::move(opened));
        if (!reading.opened->has_value()) reading.ended = reading.opened->error().code;
    }
    asio::awaitable<void> read_on(Reading& reading) {
        auto& rest = reading.opened->value().rest;
        for (;;) {
            auto more = co_await rest->next();
            if (!more) reading.ended = more.error().code;
            if (!more) co_return;
            if (more->count() == 0) break;
            reading.add(*more);
        }
        reading.ended = "end";
    }
    void begin(Reading& reading) {
        support::run_until(context, open(reading));
        if (reading.opened->has_value()) reading.add(reading.opened->value().results.back());
    }
    bool streams(const Reading& reading) { return reading.opened->has_value() && reading.opened->value().rest != nullptr; }
    void let_pass(Duration time) {
        const auto until = net::now() + time;
        run_until([&] { return net::now() >= until; });
    }
    // What Postgres is doing with the statement that has this in its text.
    std::string backends(const std::string& word, const std::string& state) {
        return execute("select count(*) from pg_stat_activity where query like '%" + word +
                       "%' and pid <> pg_backend_pid() and state = '" + state + "'");
    }
};

TEST_F(PgStream, gives_every_row_once_in_bounded_batches) {
    start();
    Reading reading("select n, repeat('x', 20), null from generate_series(1, 200000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    EXPECT_LT(reading.rows, 2000u);
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.ended, "end");
    EXPECT_EQ(reading.rows, 200'000u);
    EXPECT_EQ(reading.sum, 200'000L * 200'001 / 2);
    EXPECT_GT(reading.batches, 50u);
    EXPECT_LT(reading.batch_bytes_max, kept_bytes + 1000);
}

TEST_F(PgStream, gives_a_small_result_whole) {
    start();
    Reading reading("select n, '', null::text from generate_series(1, 100) n");
    begin(reading);
    ASSERT_TRUE(reading.opened->has_value());
    EXPECT_FALSE(streams(reading));
    EXPECT_EQ(reading.sum, 5050);
    const auto& rows = reading.opened->value().results.back();
    EXPECT_FALSE(rows.is_null(3, 1));
    EXPECT_TRUE(rows.is_null(3, 2));
    Reading none("select 1 as a, 2 as b where false");
    begin(none);
    EXPECT_EQ(none.opened->value().results.back().columns, 2u);
    EXPECT_EQ(none.rows, 0u);
}

TEST_F(PgStream, keeps_the_results_of_the_statements_before) {
    start();
    Reading reading("select n from generate_series(1, 50000) n");
    reading.script.statements.insert(reading.script.statements.begin(), statement("select 'first'"));
    reading.script.main = 1;
    begin(reading);
    ASSERT_TRUE(streams(reading));
    EXPECT_EQ(reading.opened->value().results.at(0).at(0, 0), "first");
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.rows, 50'000u);
}

TEST_F(PgStream, reads_no_further_than_its_reader) {
    start();
    Reading reading("select n, repeat('x', 1000) as slow_reader from generate_series(1, 2000000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    let_pass(300ms);
    EXPECT_EQ(execute("select count(*) from pg_stat_activity where query like '%slow_reader%' and wait_event = 'ClientWrite'"),
              "1");
}

TEST_F(PgStream, the_deadline_frees_the_lane_of_a_slow_reader) {
    settings.slow_lanes = 1;
    start();
    Reading reading("select n, repeat('x', 1000) from generate_series(1, 2000000) n");
    reading.patience = 400ms;
    begin(reading);
    ASSERT_TRUE(streams(reading));
    auto next = ask(script("select 'next'"), LaneClass::slow);
    EXPECT_EQ(next.cell(), "next");
    EXPECT_LT(next.timing.waited, 3s);
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.ended, "MR023");
}

TEST_F(PgStream, a_reader_that_goes_away_cancels_the_statement) {
    settings.slow_lanes = 1;
    start();
    Reading reading("select n, repeat('x', 1000) as left_alone from generate_series(1, 2000000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    reading.opened.reset();
    EXPECT_TRUE(run_until([&] { return backends("left_alone", "active") == "0"; }, 5s));
    EXPECT_EQ(ask(script("select 'next'"), LaneClass::slow).cell(), "next");
}

TEST_F(PgStream, tells_of_an_error_among_the_rows) {
    start();
    Reading reading("select 1 / (100000 - n), repeat('x', 20) from generate_series(1, 200000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.ended, "22012");
    EXPECT_EQ(ask(script("select 'next'"), LaneClass::slow).cell(), "next");
}

TEST_F(PgStream, an_error_before_the_first_rows_is_the_answer) {
    start();
    Reading reading("select 1 / (n - 3) from generate_series(1, 5) n");
    begin(reading);
    EXPECT_EQ(reading.ended, "22012");
}

TEST_F(PgStream, a_result_too_large_for_a_shared_lane_comes_from_another) {
    settings.fast_lanes = 1;
    start();
    Reading reading("select n, repeat('x', 1000) from generate_series(1, 50000) n", LaneClass::fast);
    begin(reading);
    ASSERT_TRUE(streams(reading));
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.rows, 50'000u);
    EXPECT_EQ(ask(script("select 'next'"), LaneClass::fast).cell(), "next");
}

TEST_F(PgStream, a_broken_connection_ends_the_rows) {
    start();
    Reading reading("select n, repeat('x', 1000) as cut_off from generate_series(1, 2000000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    execute("select pg_terminate_backend(pid) from pg_stat_activity where query like '%cut_off%' and pid <> pg_backend_pid()");
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.ended, "PGRST001");
}

TEST_F(PgStream, the_end_of_the_pool_ends_the_rows) {
    start();
    Reading reading("select n, repeat('x', 1000) from generate_series(1, 2000000) n");
    begin(reading);
    ASSERT_TRUE(streams(reading));
    pool.reset();
    support::run_until(context, read_on(reading));
    EXPECT_EQ(reading.ended, "MR022");
}

}  // namespace
}  // namespace pool_tests
