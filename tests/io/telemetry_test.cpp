// Counting: exact under concurrency, bounded in labels.
#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "telemetry_fixture.hpp"

namespace millrace::telemetry {
namespace {

using namespace std::chrono_literals;
using namespace events;

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
    EXPECT_NE(text.find(R"(route="a\"b\\c\nd")"), std::string::npos);
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

}  // namespace millrace::telemetry
