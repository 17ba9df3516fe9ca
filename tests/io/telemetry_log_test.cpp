// Log lines: whole, safe for any bytes, and never waited for.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "telemetry_fixture.hpp"

namespace millrace::telemetry {
namespace {

using namespace std::chrono_literals;
using namespace events;
using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

// A telemetry whose lines go to a file without a name.
class Logged {
public:
    explicit Logged(const config::LogSettings& settings = {})
        : file_(std::tmpfile()), telemetry(settings, 200, fileno(file_)), recorder(telemetry.recorder()) {}
    ~Logged() { std::fclose(file_); }

    std::vector<json> lines() {
        telemetry.flush();
        std::string text(1 << 22, '\0');
        text.resize(static_cast<std::size_t>(pread(fileno(file_), text.data(), text.size(), 0)));
        std::vector<json> out;
        for (std::string_view line : text::split(text, '\n'))
            if (!line.empty()) out.push_back(json::parse(line));
        return out;
    }

private:
    std::FILE* file_;

public:
    Telemetry telemetry;
    Observer& recorder;
};

}  // namespace

TEST(AccessLog, a_request_is_one_line_with_every_field) {
    Logged log;
    RequestFinished finished = request();
    finished.request_id = "abc-1";
    finished.path = "/v1/products?secret=1";
    finished.peer = "127.0.0.1";
    finished.role = "shop_anonymous";
    finished.method = message::Method::get;
    finished.bytes_in = 100;
    finished.bytes_out = 2000;
    finished.total = 1234us;
    finished.database = 1us;
    finished.cache = CacheResult::hit_redis;
    finished.cache_reason = CacheReason::none;
    log.recorder.on(finished);
    const auto lines = log.lines();
    ASSERT_THAT(lines, SizeIs(1));
    json line = lines[0];
    EXPECT_THAT(line["time"].get<std::string>(), testing::MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z"));
    line.erase("time");
    EXPECT_EQ(line, json::parse(R"({"level": "info", "event": "request", "request_id": "abc-1", "peer": "127.0.0.1",
        "method": "GET", "path": "/v1/products", "version": "v1", "route": "products", "status": 200, "bytes_in": 100,
        "bytes_out": 2000, "cache": "hit_redis", "cache_reason": "none", "role": "shop_anonymous", "ms": {"total": 1.234, "plan": 0.0,
        "lane_wait": 0.0, "database": 0.001, "redis": 0.0, "render": 0.0}})"));
}

TEST(AccessLog, hostile_bytes_stay_inside_their_text) {
    Logged log;
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    std::string long_text(511, 'x');
    long_text += "\xe2\x82\xac and more";  // cut in the middle of a character
    const std::string_view texts[] = {"\",\"level\":\"fake\"}\n{", all, long_text, "é"};
    for (std::string_view text : texts) {
        RequestFinished finished = request(500);
        finished.request_id = finished.role = finished.path = finished.error_code = text;
        log.recorder.on(finished);
    }
    const auto lines = log.lines();
    ASSERT_THAT(lines, SizeIs(4));
    EXPECT_EQ(lines[0]["request_id"], texts[0]);
    EXPECT_THAT(lines[1]["role"].get<std::string>(), HasSubstr("\xEF\xBF\xBD"));
    EXPECT_EQ(lines[2]["path"], std::string(511, 'x'));
    EXPECT_EQ(lines[3]["error"], "é");
}

TEST(AccessLog, sampling_is_an_exact_share_and_errors_are_always_written) {
    for (std::uint64_t percent : {0U, 1U, 30U, 99U, 100U}) {
        Logged log(settings("info", true, percent));
        for (int i = 0; i < 1000; ++i) log.recorder.on(request(i % 100 == 0 ? 500 : 200));
        std::size_t errors = 0, others = 0;
        for (const json& line : log.lines()) (line["status"] == 500 ? errors : others) += 1;
        EXPECT_EQ(errors, 10U);
        EXPECT_EQ(others, 990 * percent / 100) << percent;
    }
}

TEST(AccessLog, settings_can_change_while_it_runs) {
    Logged log(settings("info", false));
    log.recorder.on(request());
    EXPECT_THAT(log.lines(), SizeIs(0));
    log.recorder.on(request(502));
    EXPECT_THAT(log.lines(), SizeIs(1));
    log.telemetry.configure(settings("info"));
    log.recorder.on(request());
    EXPECT_THAT(log.lines(), SizeIs(2));
    log.telemetry.configure(settings("error"));
    log.recorder.on(request());
    log.recorder.on(request(500));
    EXPECT_THAT(log.lines(), SizeIs(3));
    log.telemetry.configure(settings("off"));
    log.recorder.on(request(500));
    EXPECT_THAT(log.lines(), SizeIs(3));
}

TEST(EventLog, events_have_lines_of_a_suitable_level) {
    Logged log(settings("debug"));
    const struct {
        Event event;
        const char* line;
    } cases[] = {
        {RequestRefused{"MR010", 400}, R"({"level":"debug","event":"refused","code":"MR010","status":400})"},
        {InvalidationSeen{"gap", 3}, R"({"level":"debug","event":"invalidation","source":"gap","tags":3})"},
        {BackendUp{Backend::redis, true, ""}, R"({"level":"info","event":"backend","backend":"redis","up":true,"reason":""})"},
        {BreakerChanged{Backend::standby, true}, R"({"level":"warn","event":"breaker","backend":"standby","open":true})"},
        {BackendUp{Backend::postgres, false, "gone"},
         R"({"level":"warn","event":"backend","backend":"postgres","up":false,"reason":"gone"})"},
        {ServiceUnreachable{"v1", "orders", "https://a", "TLS: hostname mismatch"},
         R"({"level":"warn","event":"service","version":"v1","route":"orders","address":"https://a","reason":"TLS: hostname mismatch"})"},
        {FenceChanged{false, "lag"}, R"({"level":"warn","event":"fence","fenced":false,"reason":"lag"})"},
        {FenceChanged{true, ""}, R"({"level":"info","event":"fence","fenced":true,"reason":""})"},
        {Reloaded{"config", true, "2 versions"},
         R"({"level":"info","event":"reload","what":"config","ok":true,"detail":"2 versions"})"},
        {Reloaded{"catalog", false, "x"}, R"({"level":"error","event":"reload","what":"catalog","ok":false,"detail":"x"})"},
        {Lifecycle{"ready", "on 127.0.0.1:1"},
         R"({"level":"info","event":"lifecycle","phase":"ready","detail":"on 127.0.0.1:1"})"},
        {Fallen{"session", "boom"}, R"({"level":"error","event":"fallen","where":"session","what":"boom"})"},
    };
    for (const auto& c : cases) log.recorder.on(c.event);
    log.recorder.on(ConnectionOpened{});
    log.recorder.on(LaneGauge{});
    const auto lines = log.lines();
    ASSERT_THAT(lines, SizeIs(std::size(cases)));
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        json line = lines[i];
        line.erase("time");
        EXPECT_EQ(line, json::parse(cases[i].line));
    }
}

TEST(EventLog, lines_of_many_threads_are_whole_and_complete) {
    Logged log;
    std::vector<std::thread> workers;
    for (int t = 0; t < 4; ++t)
        workers.emplace_back([&] {
            Observer& recorder = log.telemetry.recorder();
            for (int i = 0; i < 1000; ++i) recorder.on(request());
        });
    for (std::thread& worker : workers) worker.join();
    const std::size_t written = log.lines().size();
    const double dropped = Scraped(log.telemetry)["millrace_log_dropped_total"];
    EXPECT_EQ(static_cast<double>(written) + dropped, 4000);
}

TEST(EventLog, a_reader_that_stopped_to_read_holds_nobody_up) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto began = std::chrono::steady_clock::now();
    {
        Telemetry telemetry(settings("info"), 200, ends[1]);
        Observer& recorder = telemetry.recorder();
        for (int i = 0; i < 20'000; ++i) recorder.on(request());
        EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
        telemetry.flush();
        EXPECT_GT(Scraped(telemetry)["millrace_log_dropped_total"], 0);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
    close(ends[0]);
    close(ends[1]);
}

TEST(EventLog, a_reader_that_went_away_does_not_end_the_process) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    Telemetry telemetry(settings("info"), 200, ends[1]);
    telemetry.recorder().on(request());
    telemetry.flush();
    EXPECT_EQ(Scraped(telemetry)["millrace_log_dropped_total"], 1);
    close(ends[1]);
}

TEST(EventLog, lines_that_are_left_are_written_at_the_end) {
    std::FILE* file = std::tmpfile();
    {
        Telemetry telemetry(settings("info"), 200, fileno(file));
        telemetry.recorder().on(Lifecycle{"stopped", ""});
    }
    char buffer[500] = {};
    EXPECT_GT(pread(fileno(file), buffer, sizeof buffer - 1, 0), 0);
    EXPECT_THAT(std::string(buffer), HasSubstr("stopped"));
    std::fclose(file);
}

}  // namespace millrace::telemetry
