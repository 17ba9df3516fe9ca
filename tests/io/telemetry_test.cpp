// Counting and logging: exact under concurrency, bounded in labels, safe for any bytes, and documented as it is.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "millrace/core/text.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace::telemetry {
namespace {

using namespace std::chrono_literals;
using namespace events;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::string content(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

// The compiler may have been given this file's path relative to the build directory, whose folder tests/ holds the program.
std::filesystem::path source_root() {
    const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
    return (build / __FILE__).lexically_normal().parent_path().parent_path().parent_path();
}

// The repository's file; what is printed is laid beside the temporary files when it differs.
void expect_in_step(const std::string& path, const std::string& printed) {
    const auto root = source_root();
    const std::string fresh = testing::TempDir() + std::filesystem::path(path).filename().string();
    const bool same = content(root / path) == printed;
    if (!same) std::ofstream(fresh, std::ios::binary) << printed;
    EXPECT_TRUE(same) << path << " is out of step with the table of metrics; cp " << fresh << " " << path;
}

// Samples of an exposition by what stands before the value; -1: no such sample.
class Scraped {
public:
    explicit Scraped(const Telemetry& telemetry) : text(telemetry.scrape()) {
        for (std::string_view line : text::split(text, '\n')) {
            const auto space = line.rfind(' ');
            if (line.empty() || line.starts_with('#') || space == std::string_view::npos) continue;
            samples_.emplace(line.substr(0, space), std::stod(std::string(line.substr(space + 1))));
        }
    }
    double operator[](const std::string& name) const {
        const auto found = samples_.find(name);
        return found == samples_.end() ? -1 : found->second;
    }
    double sum(std::string_view prefix) const {
        double total = 0;
        for (const auto& [name, value] : samples_)
            if (name.starts_with(prefix)) total += value;
        return total;
    }
    std::size_t count(std::string_view prefix) const {
        std::size_t n = 0;
        for (const auto& [name, value] : samples_) n += name.starts_with(prefix) ? 1 : 0;
        return n;
    }

    std::string text;

private:
    std::map<std::string, double> samples_;
};

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

config::LogSettings settings(const std::string& level, bool access = true, std::uint64_t percent = 100) {
    return {level, access, percent};
}

RequestFinished request(int status = 200, std::string_view route = "products") {
    RequestFinished finished;
    finished.version = "v1";
    finished.route = route;
    finished.status = status;
    finished.total = 2ms;
    finished.cache = CacheResult::miss;
    finished.cache_reason = CacheReason::absent;
    return finished;
}

const std::string products = R"({version="v1",route="products",method="GET",status="2xx")";

}  // namespace

TEST(Telemetry, counts_are_exact_while_threads_record_and_others_scrape) {
    Telemetry telemetry(settings("off"));
    constexpr int threads = 4, rounds = 20'000;
    std::atomic<bool> done{false};
    std::thread scraper([&] {
        double before = 0;
        while (!done) {
            const Scraped scraped(telemetry);
            const double now = std::max(0.0, scraped["millrace_http_request_duration_seconds_count" + products + "}"]);
            EXPECT_GE(now, before);
            before = now;
        }
    });
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([&telemetry, t] {
            Observer& recorder = telemetry.recorder();
            const std::string own = "route" + std::to_string(t);
            for (int i = 0; i < rounds; ++i) {
                recorder.on(request());
                recorder.on(request(404, own));
                recorder.on(ConnectionOpened{});
                if (i % 2 == 0) recorder.on(ConnectionClosed{});
                recorder.on(RedisCall{i % 4 != 0, 1ms});
            }
        });
    for (std::thread& worker : workers) worker.join();
    done = true;
    scraper.join();

    const Scraped scraped(telemetry);
    EXPECT_EQ(scraped["millrace_http_request_duration_seconds_count" + products + "}"], threads * rounds);
    EXPECT_NEAR(scraped["millrace_http_request_duration_seconds_sum" + products + "}"], threads * rounds * 0.002, 1e-6);
    EXPECT_EQ(scraped[R"(millrace_http_request_duration_seconds_count{version="v1",route="route2",method="GET",status="4xx"})"],
              rounds);
    EXPECT_EQ(
        scraped
            [R"(millrace_cache_requests_total{version="v1",route="products",tier="database",result="miss",reason="absent"})"],
        threads * rounds);
    EXPECT_EQ(scraped["millrace_http_connections"], threads * rounds / 2);
    EXPECT_EQ(scraped[R"(millrace_redis_calls_total{result="failed"})"], threads * rounds / 4);
}

TEST(Telemetry, histograms_put_a_time_into_the_bucket_that_it_fits) {
    Telemetry telemetry(settings("off"));
    Observer& recorder = telemetry.recorder();
    for (Duration took : {Duration(0ns), Duration(50us), Duration(51us), Duration(-5ms), Duration(10s), Duration(11s)})
        recorder.on(StatementFinished{LaneClass::slow, took, false});
    const Scraped scraped(telemetry);
    const std::string bucket = R"(millrace_statement_duration_seconds_bucket{lane="slow",le=)";
    EXPECT_EQ(scraped[bucket + R"("5e-05"})"], 3);
    EXPECT_EQ(scraped[bucket + R"("0.0001"})"], 4);
    EXPECT_EQ(scraped[bucket + R"("5"})"], 4);
    EXPECT_EQ(scraped[bucket + R"("10"})"], 5);
    EXPECT_EQ(scraped[bucket + R"("+Inf"})"], 6);
    EXPECT_EQ(scraped[R"(millrace_statement_duration_seconds_count{lane="slow"})"], 6);
    EXPECT_EQ(scraped[R"(millrace_statement_duration_seconds_count{lane="fast"})"], 0);
}

TEST(Telemetry, every_event_is_seen_in_a_metric) {
    Telemetry telemetry(settings("off"));
    Observer& recorder = telemetry.recorder();
    Observer& other = telemetry.recorder();
    RequestFinished failed = request(503);
    failed.method = message::Method::post;
    failed.error_code = "MR001";
    failed.bytes_in = 10;
    failed.bytes_out = 20;
    const Event events[] = {failed,
                            RequestRefused{"MR010", 400},
                            LaneWaited{LaneClass::fast, 1ms},
                            StatementFinished{LaneClass::fast, 1ms, true},
                            LaneGauge{LaneClass::fast, 2, 1, 7},
                            CacheSize{5, 500},
                            CacheEvicted{3},
                            CacheFilled{100},
                            RedisCall{true, 1ms},
                            InvalidationSeen{"trigger", 2},
                            InvalidationLag{1ms},
                            CacheLease{LeaseOutcome::timed_out, 1ms},
                            CacheWaited{1ms, true},
                            CacheUnkept{},
                            CacheRefreshed{true, true},
                            CachePurged{"route", true},
                            CacheChecked{CheckOutcome::inconsistent, 7, "shop.products"},
                            UnfencedFor{1500ms},
                            ServiceAsked{"v1", "orders", ServiceResult::connect, false, 2ms},
                            ServiceAsked{"v1", "orders", ServiceResult::server_error, true, 1ms},
                            ServiceChanged{"v1", "orders", 3, 2, 1, 2, 2},
                            ServiceChanged{"v1", "orders", -1, -1, 0, 0, -1},
                            ServiceUnreachable{"v1", "orders", "http://a", "x"},
                            IdempotencyKeyUsed{IdempotencyResult::replayed},
                            BatchFinished{3, true},
                            BatchFinished{2, false},
                            Reloaded{"catalog", false, "x"},
                            Fallen{"here", "what"}};
    for (Observer* observer : {&recorder, &other})
        for (const Event& event : events) observer->on(event);
    const std::map<std::string, double> expected = {
        {R"(millrace_http_request_duration_seconds_count{version="v1",route="products",method="POST",status="5xx"})", 2},
        {R"(millrace_http_errors_total{code="MR001"})", 2},
        {R"(millrace_http_refused_total{code="MR010"})", 2},
        {"millrace_request_bytes_total", 20},
        {"millrace_response_bytes_total", 40},
        {R"(millrace_lane_wait_seconds_count{lane="fast"})", 2},
        {R"(millrace_statement_failures_total{lane="fast"})", 2},
        {R"(millrace_lanes{lane="fast",state="connected"})", 4},
        {R"(millrace_lanes{lane="fast",state="busy"})", 2},
        {R"(millrace_lane_queue{lane="fast"})", 14},
        {"millrace_cache_entries", 10},
        {"millrace_cache_bytes", 1000},
        {"millrace_cache_evictions_total", 6},
        {"millrace_cache_fills_total", 2},
        {"millrace_cache_filled_bytes_total", 200},
        {R"(millrace_redis_calls_total{result="ok"})", 2},
        {"millrace_redis_call_duration_seconds_count", 2},
        {R"(millrace_invalidations_total{source="trigger"})", 2},
        {"millrace_invalidation_lag_seconds_count", 2},
        {R"(millrace_cache_leases_total{result="timed_out"})", 2},
        {"millrace_cache_lease_wait_seconds_count", 2},
        {R"(millrace_cache_waits_total{result="ok"})", 2},
        {"millrace_cache_wait_seconds_count", 2},
        {"millrace_cache_unkept_total", 2},
        {R"(millrace_cache_refreshes_total{reason="early",result="ok"})", 2},
        {R"(millrace_cache_purges_total{scope="route",kind="hard"})", 2},
        {R"(millrace_cache_checks_total{result="inconsistent"})", 2},
        {"millrace_cache_inconsistent_total", 2},
        {"millrace_unfenced_seconds_total", 1.5},
        {R"(millrace_service_attempts_total{version="v1",route="orders",result="connect"})", 2},
        {R"(millrace_service_attempts_total{version="v1",route="orders",result="5xx"})", 2},
        {R"(millrace_service_attempts_total{version="v1",route="orders",result="ok"})", 0},
        {R"(millrace_service_retries_total{version="v1",route="orders"})", 2},
        {R"(millrace_service_attempt_seconds_count{version="v1",route="orders"})", 4},
        {R"(millrace_service_connections{version="v1",route="orders",state="open"})", 4},
        {R"(millrace_service_connections{version="v1",route="orders",state="used"})", 2},
        {R"(millrace_service_queue{version="v1",route="orders"})", 2},
        {R"(millrace_service_addresses{version="v1",route="orders",state="known"})", 2},
        {R"(millrace_service_addresses{version="v1",route="orders",state="up"})", 1},
        {R"(millrace_service_queue{version="v1",route="products"})", -1},
        {R"(millrace_idempotent_requests_total{result="replayed"})", 2},
        {R"(millrace_batches_total{result="committed"})", 2},
        {R"(millrace_batches_total{result="rolled_back"})", 2},
        {R"(millrace_batch_operations_total{result="committed"})", 6},
        {R"(millrace_batch_operations_total{result="rolled_back"})", 4},
        {R"(millrace_reloads_total{what="catalog",result="failed"})", 2},
        {"millrace_unhandled_exceptions_total", 2},
        {"millrace_log_dropped_total", 0},
        {R"(millrace_build_info{version=")" + std::string(version()) + R"("})", 1},
    };
    const Scraped scraped(telemetry);
    for (const auto& [name, value] : expected) EXPECT_EQ(scraped[name], value) << name;
}

TEST(Telemetry, a_backend_is_up_when_every_thread_that_talks_to_it_says_so) {
    Telemetry telemetry(settings("off"));
    Observer &one = telemetry.recorder(), &two = telemetry.recorder();
    static_cast<void>(telemetry.recorder());
    const std::string postgres = R"(millrace_backend_up{backend="postgres"})";
    EXPECT_EQ(Scraped(telemetry)[postgres], -1);
    EXPECT_EQ(Scraped(telemetry)["millrace_fenced"], 0);
    one.on(BackendUp{Backend::postgres, true, ""});
    one.on(FenceChanged{true, ""});
    EXPECT_EQ(Scraped(telemetry)[postgres], 1);
    EXPECT_EQ(Scraped(telemetry)["millrace_fenced"], 1);
    two.on(BackendUp{Backend::postgres, false, ""});
    EXPECT_EQ(Scraped(telemetry)[postgres], 0);
    two.on(BackendUp{Backend::postgres, true, ""});
    EXPECT_EQ(Scraped(telemetry)[postgres], 1);
}

TEST(Telemetry, breakers_that_are_open_are_counted) {
    Telemetry telemetry(settings("off"));
    Observer &one = telemetry.recorder(), &two = telemetry.recorder();
    const std::string open = R"(millrace_breakers_open{backend="standby"})";
    for (Observer* each : {&one, &two, &one}) each->on(BreakerChanged{Backend::standby, true});
    one.on(BreakerChanged{Backend::standby, false});
    EXPECT_EQ(Scraped(telemetry)[open], 2);
    EXPECT_EQ(Scraped(telemetry)[R"(millrace_breakers_opened_total{backend="standby"})"], 3);
    EXPECT_EQ(Scraped(telemetry)[R"(millrace_breakers_open{backend="redis"})"], 0);
}

TEST(Telemetry, an_address_of_a_service_is_up_when_every_thread_asks_it) {
    Telemetry telemetry(settings("off"));
    Observer &one = telemetry.recorder(), &two = telemetry.recorder();
    static_cast<void>(telemetry.recorder());
    const std::string up = R"(millrace_service_addresses{version="v1",route="orders",state="up"})";
    one.on(ServiceChanged{"v1", "orders", 0, 0, 0, 3, 3});
    EXPECT_EQ(Scraped(telemetry)[up], 3);
    two.on(ServiceChanged{"v1", "orders", 0, 0, 0, 3, 0});
    EXPECT_EQ(Scraped(telemetry)[up], 0);
    two.on(ServiceChanged{"v1", "orders", 0, 0, 0, 0, 2});
    EXPECT_EQ(Scraped(telemetry)[up], 2);
    for (Observer* each : {&one, &two}) each->on(ServiceChanged{"v1", "orders", 0, 0, 0, -3, each == &one ? -3 : -2});
    EXPECT_EQ(Scraped(telemetry)[up], -1) << "nobody serves it any more";
}

TEST(Telemetry, labels_are_bounded_whatever_comes) {
    Telemetry telemetry(settings("off"), 10);
    Observer& recorder = telemetry.recorder();
    for (int i = 0; i < 5000; ++i) {
        const std::string name = "route" + std::to_string(i);
        RequestFinished finished = request(400, name);
        finished.error_code = name;
        recorder.on(finished);
        recorder.on(RequestRefused{name, 400});
        recorder.on(InvalidationSeen{name, 1});
        recorder.on(ServiceAsked{"v1", name, ServiceResult::ok, false, 1ms});
    }
    recorder.on(request(200, std::string(100'000, 'x')));
    recorder.on(request(200, "\xff"));
    const Scraped scraped(telemetry);
    const std::string count = "millrace_http_request_duration_seconds_count";
    EXPECT_EQ(scraped.count(count), 12U);
    EXPECT_EQ(scraped[count + R"({version="other",route="other",method="GET",status="4xx"})"], 4990);
    EXPECT_EQ(scraped[count + R"({version="other",route="other",method="GET",status="2xx"})"], 2);
    EXPECT_EQ(scraped.count("millrace_http_errors_total"), 101U);
    EXPECT_EQ(scraped.sum("millrace_http_errors_total"), 5000);
    EXPECT_EQ(scraped.count("millrace_http_refused_total"), 33U);
    EXPECT_EQ(scraped.sum("millrace_http_refused_total"), 5000);
    EXPECT_EQ(scraped.count("millrace_invalidations_total"), 9U);
    EXPECT_EQ(scraped.count("millrace_service_retries_total"), 11U);
    EXPECT_LT(scraped.text.size(), 100'000U);
}

TEST(Telemetry, hostile_label_values_are_escaped) {
    Telemetry telemetry(settings("off"));
    telemetry.recorder().on(request(200, "a\"b\\c\nd"));
    const std::string text = telemetry.scrape();
    EXPECT_THAT(text, HasSubstr(R"(route="a\"b\\c\nd")"));
}

TEST(Telemetry, what_the_kernel_says_about_the_process_is_plausible) {
    const Telemetry telemetry(settings("off"));
    const Scraped scraped(telemetry);
    EXPECT_GT(scraped["process_resident_memory_bytes"], 1e6);
    EXPECT_GE(scraped["process_open_fds"], 3);
    EXPECT_GT(scraped["process_max_fds"], scraped["process_open_fds"]);
    EXPECT_GE(scraped["process_cpu_seconds_total"], 0);
    EXPECT_NEAR(scraped["process_start_time_seconds"], static_cast<double>(std::time(nullptr)), 3600);
}

TEST(Telemetry, the_golden_list_and_the_documentation_are_in_step) {
    expect_in_step("tests/io/metrics_names.txt", Telemetry::names());
    expect_in_step("docs/metrics.md", Telemetry::documentation());
}

TEST(Telemetry, exposes_exactly_the_metrics_of_the_golden_list) {
    const Telemetry telemetry(settings("off"));
    std::string types;
    std::vector<std::string> lines;
    const std::string text = telemetry.scrape();
    for (std::string_view line : text::split(text, '\n'))
        if (line.starts_with("# TYPE ")) lines.push_back(std::string(line.substr(7)) + "\n");
    std::ranges::sort(lines);
    for (const std::string& line : lines) types += line;
    EXPECT_EQ(types, Telemetry::names());
}

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
