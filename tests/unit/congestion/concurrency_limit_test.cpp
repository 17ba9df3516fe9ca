// The limit against a database of known capacity, in simulated time.
#include <gtest/gtest.h>

#include "millrace/core/congestion.hpp"

namespace millrace::congestion {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t quick = 1, thorough = 2;

// Works on `capacity` statements at a time; more of them take as many times longer.
struct Database {
    std::size_t capacity;
    [[nodiscard]] Duration answer(Duration alone, std::size_t underway) const {
        return underway <= capacity ? alone
                                    : alone * static_cast<Duration::rep>(underway) / static_cast<Duration::rep>(capacity);
    }
};

struct Load {
    ConcurrencyLimit limit{{.least = 2, .most = 100, .harmless = 1ms}};
    TimePoint now{1h};
    int count = 0;

    // As many at once as the limit lets through, for so long.
    void saturate(const Database& database, Duration time, std::size_t wanted = 1'000) {
        double done = 0;
        for (const TimePoint end = now + time; now < end; now += 1ms) {
            const std::size_t underway = std::min(limit.limit(), wanted);
            const Duration took = database.answer(2ms, underway);
            for (done += static_cast<double>(underway) * 1e6 / static_cast<double>(took.count()); done >= 1; --done) {
                limit.finished(quick, took, underway, now);
                if (++count % 20 == 0) limit.finished(thorough, database.answer(50ms, underway), underway, now);
            }
        }
    }
};

TEST(ConcurrencyLimit, of_a_database_that_keeps_up_is_the_most) {
    Load load;
    load.saturate({.capacity = 100}, 5s);
    EXPECT_EQ(load.limit.limit(), 100U);
}

TEST(ConcurrencyLimit, of_one_that_does_not_is_what_takes_three_times_as_long) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);  // how long statements take at best
    load.saturate({.capacity = 10}, 5s);
    EXPECT_GE(load.limit.limit(), 9U);
    EXPECT_LE(load.limit.limit(), 40U);
}

TEST(ConcurrencyLimit, goes_by_the_quickest_and_not_by_the_first) {
    Load load;
    load.limit.finished(quick, 100ms, 1, load.now);  // with cold caches
    load.saturate({.capacity = 100}, 1s, 1);
    load.saturate({.capacity = 10}, 5s);
    EXPECT_LE(load.limit.limit(), 40U);
}

TEST(ConcurrencyLimit, comes_back_when_the_database_does) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);
    load.saturate({.capacity = 1}, 5s);
    EXPECT_LE(load.limit.limit(), 5U);
    load.saturate({.capacity = 100}, 5s);
    EXPECT_EQ(load.limit.limit(), 100U);
}

TEST(ConcurrencyLimit, does_not_grow_while_nobody_reaches_it) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);
    load.saturate({.capacity = 1}, 5s);
    const std::size_t low = load.limit.limit();
    load.saturate({.capacity = 100}, 5s, 1);
    EXPECT_LE(load.limit.limit(), low);
}

TEST(ConcurrencyLimit, never_goes_below_the_least) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);
    for (int i = 0; i < 1'000; ++i, load.now += 10ms) load.limit.finished(quick, 1s, load.limit.limit(), load.now);
    EXPECT_EQ(load.limit.limit(), 2U);
}

TEST(ConcurrencyLimit, is_not_misled_by_statements_that_always_take_longer) {
    Load load;
    for (int i = 0; i < 1'000; ++i, load.now += 1ms) load.limit.finished(quick, 2ms, 100, load.now);
    for (int i = 0; i < 1'000; ++i, load.now += 1ms) load.limit.finished(thorough, 200ms, 100, load.now);
    EXPECT_EQ(load.limit.limit(), 100U);
}

// Another one's load makes all statements slow, however few there are.
TEST(ConcurrencyLimit, does_not_shrink_where_that_makes_nothing_quicker) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);
    double done = 0;
    std::size_t least = 100, before = 100;
    int trials = 0;
    for (int tick = 0; tick < 20'000; ++tick, load.now += 1ms) {
        const std::size_t underway = load.limit.limit();
        if (underway < before) ++trials;
        before = underway;
        for (done += static_cast<double>(underway) / 20; done >= 1; --done)
            load.limit.finished(quick, 20ms, underway, load.now);
        least = std::min(least, underway);
    }
    EXPECT_GE(least, 50U);
    EXPECT_LE(trials, 10) << "each of them costs answers";
}

TEST(ConcurrencyLimit, leaves_short_waits_alone) {
    Load load;
    for (int i = 0; i < 100; ++i, load.now += 1ms) load.limit.finished(quick, 50us, 1, load.now);
    for (int i = 0; i < 1'000; ++i, load.now += 1ms) load.limit.finished(quick, 900us, 100, load.now);
    EXPECT_EQ(load.limit.limit(), 100U);
}

TEST(ConcurrencyLimit, learns_that_statements_have_become_slower_for_good) {
    Load load;
    load.saturate({.capacity = 100}, 1s, 1);
    for (int i = 0; i < 1'000; ++i, load.now += 10ms) load.limit.finished(quick, 20ms, load.limit.limit(), load.now);
    EXPECT_EQ(load.limit.limit(), 2U);
    for (int i = 0; i < 10'000; ++i, load.now += 10ms) load.limit.finished(quick, 20ms, load.limit.limit(), load.now);
    EXPECT_EQ(load.limit.limit(), 100U);
}

}  // namespace
}  // namespace millrace::congestion
