// The policies in simulated time.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "millrace/core/policy.hpp"

namespace millrace::policy {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{1000s};

}  // namespace

TEST(Backoff, doubles_its_ceiling_up_to_the_most) {
    Backoff backoff(100ms, 1s);
    for (Duration ceiling : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) EXPECT_EQ(backoff.next(1.0), ceiling);
    backoff.reset();
    EXPECT_EQ(backoff.next(0.5), 50ms);
    EXPECT_EQ(backoff.next(0.0), 0ms);
}

TEST(Backoff, never_exceeds_the_most_however_often_it_is_asked) {
    Backoff backoff(3ms, 10s);
    for (int i = 0; i < 100'000; ++i) EXPECT_LE(backoff.next(0.999), 10s);
    EXPECT_EQ(Backoff(10s, 1s).next(1.0), 1s);
}

TEST(RateLimiter, gives_the_burst_at_once_and_then_one_each_interval) {
    RateLimiter limiter(10, 3, 100);
    for (std::uint64_t remaining : {2U, 1U, 0U}) {
        const Verdict verdict = limiter.take("a", start);
        EXPECT_TRUE(verdict.allowed);
        EXPECT_EQ(verdict.remaining, remaining);
    }
    const Verdict refused = limiter.take("a", start + 40ms);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, 60ms);
    EXPECT_FALSE(limiter.take("a", start + 100ms - 1ns).allowed);
    EXPECT_TRUE(limiter.take("a", start + 100ms).allowed);
    EXPECT_FALSE(limiter.take("a", start + 100ms).allowed);
}

TEST(RateLimiter, a_refusal_costs_nothing_and_its_retry_after_holds) {
    RateLimiter limiter(7, 2, 100);
    TimePoint now = start;
    for (int i = 0; i < 1000; ++i) {
        const Verdict verdict = limiter.take("a", now);
        if (verdict.allowed) continue;
        EXPECT_FALSE(limiter.take("a", now + verdict.retry_after - 1ns).allowed);
        now += verdict.retry_after;
        ASSERT_TRUE(limiter.take("a", now).allowed);
    }
}

// Against every window of a random schedule: at most burst + rate × t; and a bucket that refills gives as many as promised.
TEST(RateLimiter, allows_exactly_what_a_token_bucket_allows_on_random_schedules) {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        const std::uint64_t rates[] = {1, 3, 7, 100, 1000, 333'333};
        const std::uint64_t rate = rates[random() % 6], burst = 1 + random() % 20;
        const auto interval = static_cast<std::int64_t>((1'000'000'000 + rate - 1) / rate);
        RateLimiter limiter(rate, burst, 4);
        std::int64_t tokens_ns = interval * static_cast<std::int64_t>(burst);  // the reference: tokens as time
        const std::int64_t most_ns = tokens_ns;
        std::deque<TimePoint> allowed;
        TimePoint now = start;
        for (int i = 0; i < 500; ++i) {
            const std::int64_t step = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random() % (2 * interval));
            now += std::chrono::nanoseconds(step);
            tokens_ns = std::min(most_ns, tokens_ns + step);
            const bool expected = tokens_ns >= interval;
            if (expected) tokens_ns -= interval;
            ASSERT_EQ(limiter.take("a", now).allowed, expected) << "seed " << seed << " step " << i;
            if (expected) allowed.push_back(now);
        }
        for (std::size_t first = 0; first < allowed.size(); ++first)
            for (std::size_t last = first; last < allowed.size(); ++last) {
                const double seconds = std::chrono::duration<double>(allowed[last] - allowed[first]).count();
                ASSERT_LE(static_cast<double>(last - first + 1),
                          static_cast<double>(burst) + static_cast<double>(rate) * seconds + 1e-6)
                    << "seed " << seed;
            }
    }
}

TEST(RateLimiter, keys_do_not_share_and_the_least_recently_used_is_forgotten) {
    RateLimiter limiter(1, 1, 2);
    EXPECT_TRUE(limiter.take("a", start).allowed);
    EXPECT_TRUE(limiter.take("b", start).allowed);
    EXPECT_FALSE(limiter.take("a", start).allowed);
    EXPECT_TRUE(limiter.take("c", start).allowed);   // b is forgotten
    EXPECT_FALSE(limiter.take("a", start).allowed);  // a is not
    EXPECT_TRUE(limiter.take("b", start).allowed);
    EXPECT_EQ(limiter.keys(), 2U);
}

TEST(RateLimiter, stays_bounded_and_survives_a_move) {
    RateLimiter limiter(1, 1, 50);
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(limiter.take("key" + std::to_string(i), start).allowed);
    EXPECT_EQ(limiter.keys(), 50U);
    RateLimiter moved = std::move(limiter);
    EXPECT_FALSE(moved.take("key9999", start).allowed);
    EXPECT_TRUE(moved.take("new", start).allowed);
}

TEST(RateLimiter, costs_count_and_edges_are_defined) {
    RateLimiter limiter(10, 10, 2);
    EXPECT_EQ(limiter.take("a", start, 4).remaining, 6U);
    EXPECT_FALSE(limiter.take("a", start, 7).allowed);
    EXPECT_TRUE(limiter.take("a", start, 6).allowed);
    EXPECT_FALSE(limiter.take("b", start, 11).allowed);  // more than the burst never fits
    EXPECT_EQ(RateLimiter(5, 0, 1).take("a", start).remaining, 4U);
    RateLimiter none(0, 0, 1);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(none.take("a", start).allowed);
    EXPECT_EQ(none.keys(), 0U);
}

TEST(Breaker, opens_after_failures_in_a_row_only) {
    Breaker breaker(3, 10s);
    for (int i = 0; i < 10; ++i) {
        breaker.failed(start);
        breaker.failed(start);
        breaker.succeeded();
    }
    EXPECT_TRUE(breaker.allows(start));
    for (int i = 0; i < 3; ++i) breaker.failed(start);
    EXPECT_TRUE(breaker.open());
    EXPECT_FALSE(breaker.allows(start + 10s - 1ns));
}

TEST(Breaker, lets_one_probe_through_and_its_outcome_decides) {
    Breaker breaker(1, 10s);
    breaker.failed(start);
    EXPECT_TRUE(breaker.allows(start + 10s));
    EXPECT_FALSE(breaker.allows(start + 10s));
    breaker.failed(start + 11s);
    EXPECT_FALSE(breaker.allows(start + 20s));
    EXPECT_TRUE(breaker.allows(start + 21s));
    breaker.succeeded();
    EXPECT_FALSE(breaker.open());
    EXPECT_TRUE(breaker.allows(start + 21s));
}

TEST(Breaker, late_answers_change_nothing_and_a_lost_probe_is_repeated) {
    Breaker breaker(1, 10s);
    breaker.failed(start);
    breaker.succeeded();
    EXPECT_TRUE(breaker.open());
    breaker.failed(start + 9s);  // does not put the probe off
    EXPECT_TRUE(breaker.allows(start + 10s));
    EXPECT_FALSE(breaker.allows(start + 19s));
    EXPECT_TRUE(breaker.allows(start + 20s));
}

TEST(Breaker, closes_at_once_for_who_is_known_to_be_well) {
    Breaker breaker(1, 10s);
    breaker.failed(start);
    EXPECT_FALSE(breaker.would_allow(start + 10s - 1ns));
    EXPECT_TRUE(breaker.would_allow(start + 10s));
    EXPECT_TRUE(breaker.would_allow(start + 10s));  // it is not the probe
    breaker.reset();
    EXPECT_FALSE(breaker.open());
    EXPECT_TRUE(breaker.allows(start));
    Breaker patient(2, 10s);
    patient.failed(start);
    patient.reset();
    patient.failed(start);
    EXPECT_FALSE(patient.open());
}

TEST(RetryBudget, is_a_share_of_requests_and_a_few_at_first) {
    RetryBudget budget(20);
    const auto take_all = [&] {
        int taken = 0;
        while (budget.take()) ++taken;
        return taken;
    };
    EXPECT_EQ(take_all(), 10);
    for (int i = 0; i < 4; ++i) budget.requested();
    EXPECT_FALSE(budget.take());
    budget.requested();
    EXPECT_EQ(take_all(), 1);
    for (int i = 0; i < 50; ++i) budget.requested();
    EXPECT_EQ(take_all(), 10);
}

TEST(RetryBudget, is_bounded_however_quiet_it_was) {
    RetryBudget budget(100), none(0);
    for (int i = 0; i < 10'000; ++i) budget.requested(), none.requested();
    int taken = 0;
    while (budget.take()) ++taken;
    EXPECT_EQ(taken, 100);
    EXPECT_FALSE(none.take());
}

TEST(ShapeTimes, a_shape_is_cheap_when_it_was_measured_so) {
    ShapeTimes times(100);
    EXPECT_FALSE(times.cheap(1, 1h));
    times.record(1, 100us);
    times.record(1, 100us);
    EXPECT_FALSE(times.cheap(1, 1ms));
    times.record(1, 100us);
    EXPECT_TRUE(times.cheap(1, 1ms));
    EXPECT_TRUE(times.cheap(1, 100us));
    EXPECT_FALSE(times.cheap(1, 99us));
}

TEST(ShapeTimes, an_outlier_makes_it_slow_and_quick_runs_bring_it_back) {
    ShapeTimes times(100);
    for (int i = 0; i < 10; ++i) times.record(1, 100us);
    times.record(1, 100ms);
    EXPECT_FALSE(times.cheap(1, 1ms));
    for (int i = 0; i < 20; ++i) times.record(1, 100us);
    EXPECT_TRUE(times.cheap(1, 1ms));
}

TEST(ShapeTimes, stays_bounded_and_keeps_what_is_used) {
    for (std::size_t most : {1U, 2U, 3U, 64U}) {
        ShapeTimes times(most);
        for (std::uint64_t i = 0; i < 10'000; ++i) {
            times.record(i, 1us);
            if (most == 64)
                for (int n = 0; n < 3; ++n) times.record(77'777, 1us);
            ASSERT_LE(times.shapes(), std::max<std::size_t>(most, 2));
        }
        EXPECT_EQ(times.cheap(77'777, 1ms), most == 64);
        EXPECT_FALSE(times.cheap(5, 1ms));
    }
}

}  // namespace millrace::policy
