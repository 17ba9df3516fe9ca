// A pool on a database of the test's own, and short ways to ask it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "running.hpp"
#include "servers.hpp"

namespace pool_tests {

using namespace millrace;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using events::LaneClass;
using Parameters = std::vector<std::optional<std::string>>;

inline sql::Statement statement(std::string text, Parameters parameters = {}) {
    const auto shape = std::hash<std::string>()(text);
    return {std::move(text), std::move(parameters), shape};
}

inline sql::Script script(std::vector<sql::Statement> statements, bool writes = false) {
    sql::Script made;
    made.main = statements.size() - 1;
    made.statements = std::move(statements);
    made.writes = writes;
    return made;
}
inline sql::Script script(std::string text, Parameters parameters = {}) {
    return script({statement(std::move(text), std::move(parameters))});
}
inline sql::Script write(std::string text, Parameters parameters = {}) {
    return script({statement(std::move(text), std::move(parameters))}, true);
}

inline Result<std::vector<sql::Statement>> agree(const sql::Results&) { return std::vector<sql::Statement>(); }

// One call and what became of it.
struct Call {
    Call() = default;
    explicit Call(sql::Script what, LaneClass which = LaneClass::fast) : script(std::move(what)), lane(which) {}

    sql::Script script;
    LaneClass lane = LaneClass::fast;
    Duration patience = 10s;
    std::uint64_t route_max = 0;
    std::optional<sql::Closing> closing;
    std::optional<Result<sql::Results>> answer;
    pg::Timing timing;

    [[nodiscard]] bool ok() const { return answer && answer->has_value(); }
    [[nodiscard]] std::string cell() const { return std::string((*answer)->at(script.main).at(0, 0)); }
    [[nodiscard]] std::string code() const { return !answer ? "none" : ok() ? "ok" : answer->error().code; }
};

class PgPool : public ::testing::Test {
protected:
    PgPool() {
        settings.url = support::shared_postgres().create_database("pool");
        limits.queue_target_ms = 60'000;  // nobody is refused because the machine is slow
    }
    ~PgPool() override {
        if (pool) support::run_until(context, pool->stop());
        EXPECT_TRUE(observer.fallen.empty());
    }

    void start() {
        pool.emplace(context, settings, observer, limits);
        pool->start();
    }

    asio::awaitable<void> run(Call& call) {
        const sql::Closing* closing = call.closing ? &*call.closing : nullptr;
        const pg::Call what{.lane = call.lane, .deadline = {net::now() + call.patience}, .route_max = call.route_max};
        auto answer = co_await pool->run(call.script, what, closing, call.timing);
        call.answer.emplace(std::move(answer));
    }

    // Begins all in this order before any of them gets an answer.
    void begin(std::vector<Call>& calls) {
        for (auto& call : calls) begin(call);
    }
    void begin(Call& call) {
        auto ended = [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        };
        asio::co_spawn(context, run(call), ended);
    }
    bool run_until(const std::function<bool()>& done, Duration timeout = 20s) {
        return support::run_while_not(context, done, timeout);
    }
    void finish(std::vector<Call>& calls) {
        const auto all = [&] { return std::ranges::all_of(calls, [](const Call& call) { return call.answer.has_value(); }); };
        ASSERT_TRUE(run_until(all));
    }
    void finish(Call& call) {
        const auto answered = [&] { return call.answer.has_value(); };
        ASSERT_TRUE(run_until(answered));
    }
    Call& ask(Call& call) {
        begin(call);
        finish(call);
        return call;
    }
    Call ask(sql::Script what, LaneClass lane = LaneClass::fast) {
        Call call{std::move(what), lane};
        ask(call);
        return call;
    }
    std::string execute(const std::string& sql) { return support::shared_postgres().execute(sql, "pool"); }

    asio::io_context context{1};
    support::RecordingObserver observer;
    config::DatabaseSettings settings;
    config::LimitSettings limits;
    std::optional<pg::Pool> pool;
};

}  // namespace pool_tests
