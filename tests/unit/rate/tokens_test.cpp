// Tokens, leases, and how exact both are together over many replicas.
#include <gtest/gtest.h>

#include <random>

#include "millrace/core/rate.hpp"

namespace millrace::rate {
namespace {

using namespace std::chrono_literals;

const TimePoint start{};
const WallTime wall{std::chrono::sys_days(std::chrono::year(2026) / 2 / 28) + 23h};

TEST(Tokens, come_back_one_by_one) {
    Tokens tokens(10);
    const Rule rule = *parse_rule("10/second burst 5");
    EXPECT_EQ(tokens.take(rule, "a", 3, 1, wall).tokens, 3U);
    const Granted rest = tokens.take(rule, "a", 9, 1, wall);
    EXPECT_EQ(rest.tokens, 2U);
    EXPECT_EQ(rest.remaining, 0U);
    const Granted none = tokens.take(rule, "a", 2, 2, wall);
    EXPECT_EQ(none.tokens, 0U);
    EXPECT_EQ(none.retry_after, 200ms);
    EXPECT_EQ(tokens.take(rule, "b", 9, 1, wall).tokens, 5U) << "another's are his own";
    EXPECT_EQ(tokens.take(rule, "a", 9, 2, wall + 200ms).tokens, 2U);
}

TEST(Tokens, do_not_become_many_when_the_clock_goes_back) {
    Tokens tokens(10);
    const Rule rule = *parse_rule("10/second burst 5");
    EXPECT_EQ(tokens.take(rule, "a", 5, 1, wall).tokens, 5U);
    EXPECT_EQ(tokens.take(rule, "a", 5, 1, wall - 10s).tokens, 0U);
}

TEST(Tokens, of_a_quota_come_back_when_its_window_ends) {
    Tokens tokens(10);
    const Rule day = *parse_rule("3/day"), month = *parse_rule("4/month");
    EXPECT_EQ(tokens.take(day, "day", 2, 1, wall).tokens, 2U);
    EXPECT_EQ(tokens.take(month, "month", 9, 1, wall).tokens, 4U);
    const Granted none = tokens.take(day, "day", 2, 2, wall);
    EXPECT_EQ(none.tokens, 0U);
    EXPECT_EQ(none.remaining, 1U);
    EXPECT_EQ(none.retry_after, 1h);
    EXPECT_EQ(tokens.take(month, "month", 1, 1, wall + 59min).tokens, 0U);
    EXPECT_EQ(tokens.take(day, "day", 3, 3, wall + 1h).tokens, 3U);
    EXPECT_EQ(tokens.take(month, "month", 4, 4, wall + 1h).tokens, 4U) << "March begins";
}

TEST(Lease, passes_what_it_holds_until_it_ends) {
    Lease lease;
    EXPECT_EQ(lease.look(1, start), Lease::Answer::ask);
    lease.grant({2, 7, {}}, start);
    EXPECT_EQ(lease.remaining(), 9U);
    for (int i = 0; i < 2; ++i) {
        ASSERT_EQ(lease.look(1, start), Lease::Answer::pass);
        lease.take(1, start);
    }
    EXPECT_EQ(lease.look(1, start), Lease::Answer::ask);
    EXPECT_EQ(lease.wanted(1, 100), 3U) << "as many as were used, and one";
    EXPECT_EQ(lease.wanted(1, 2), 2U);
    lease.grant({5, 0, {}}, start);
    EXPECT_EQ(lease.look(1, start + lease_life), Lease::Answer::ask) << "what was not used in time is lost";
}

TEST(Lease, refuses_without_asking_until_there_is_a_token) {
    Lease lease;
    lease.grant({0, 0, 300ms}, start);
    EXPECT_EQ(lease.look(1, start + 299ms), Lease::Answer::refuse);
    EXPECT_EQ(lease.retry_after(start + 100ms), 200ms);
    EXPECT_EQ(lease.look(1, start + 300ms), Lease::Answer::ask);
}

TEST(Lease, asks_for_as_many_as_it_used_of_the_last_ones) {
    Lease lease;
    lease.grant({8, 0, {}}, start);
    for (int i = 0; i < 5; ++i) lease.take(1, start);
    EXPECT_EQ(lease.wanted(1, 100), 6U);
    EXPECT_EQ(lease.wanted(1, 4), 4U) << "no more than it may";
    lease.grant({6, 0, {}}, start);
    EXPECT_EQ(lease.wanted(1, 100), 1U) << "nothing was used of those";
}

TEST(Lease, what_is_charged_afterwards_is_owed) {
    Lease lease;
    lease.grant({3, 0, {}}, start);
    lease.charge(5);
    EXPECT_EQ(lease.look(1, start), Lease::Answer::ask);
    EXPECT_EQ(lease.needed(1), 6U);
    lease.grant({3, 0, {}}, start);
    ASSERT_EQ(lease.look(1, start), Lease::Answer::pass);
    lease.take(1, start);
    EXPECT_EQ(lease.needed(1), 1U);
}

TEST(Leases, forget_whom_they_have_not_seen_longest) {
    Leases leases(2);
    leases.at("a").grant({1, 0, {}}, start);
    (void)leases.at("b");
    EXPECT_EQ(leases.at("a").look(1, start), Lease::Answer::pass);
    (void)leases.at("c");
    EXPECT_EQ(leases.size(), 2U);
    EXPECT_EQ(leases.at("a").look(1, start), Lease::Answer::pass);
}

// Replicas that ask a shared bucket for leases in a seeded order. Whatever they do, what passes in any span of T is at most
// burst + rate × (T + lease_life); and a caller who asks for more than his rate gets nearly all of it.
TEST(LeaseSimulation, no_more_passes_than_the_bound_and_little_less_than_the_rate) {
    const Rule rule = *parse_rule("200/second burst 50");
    constexpr std::uint64_t most = 16;
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        Tokens shared(10);
        std::vector<Lease> replicas(5);
        std::vector<std::int64_t> passed_ms;
        std::uint64_t asks = 0, requests = 0;
        const unsigned idle = static_cast<unsigned>(random() % 5);  // that replica asks seldom, and lets its tokens lapse
        for (std::int64_t tenth_ms = 0; tenth_ms < 40'000; ++tenth_ms) {
            const std::size_t at = static_cast<unsigned>(random() % 5);
            if (at == idle && random() % 50 != 0) continue;
            if (random() % 10 >= 6) continue;  // six thousand a second: thirty times the rate
            const TimePoint now = start + std::chrono::microseconds(tenth_ms * 100);
            Lease& lease = replicas[at];
            ++requests;
            if (lease.look(1, now) == Lease::Answer::ask) {
                ++asks;
                lease.grant(shared.take(rule, "a", lease.wanted(1, most), lease.needed(1),
                                        wall + std::chrono::microseconds(tenth_ms * 100)),
                            now);
            }
            if (lease.look(1, now) != Lease::Answer::pass) {
                lease.miss(1);
                continue;
            }
            lease.take(1, now);
            passed_ms.push_back(tenth_ms / 10);
        }
        const auto in = [&](std::int64_t from, std::int64_t span) {
            return std::ranges::count_if(passed_ms, [&](std::int64_t t) { return t >= from && t < from + span; });
        };
        for (std::int64_t from = 0; from < 3'000; from += 50) EXPECT_LE(in(from, 1'000), 50 + 200 * 1.5) << "seed " << seed;
        EXPECT_GE(in(0, 4'000), 0.85 * (50 + 200 * 4)) << "seed " << seed;
        EXPECT_LT(asks * 5, requests) << "seed " << seed;
    }
}

}  // namespace
}  // namespace millrace::rate
