// Whose turn it is, and who is refused; and what that makes of ten times more than can be done, in simulated time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "millrace/core/congestion.hpp"

namespace millrace::congestion {
namespace {

using namespace std::chrono_literals;

struct One : Waiting {
    int number = 0;
};

struct Queue {
    FairQueue queue;
    TimePoint now{1h};
    explicit Queue(std::size_t size_max = 100, Duration target = 1h) : queue(size_max, target) {}

    // The number of who is refused, or 0.
    int push(int number, std::uint64_t caller = 1, Priority priority = Priority::normal) {
        auto one = std::make_shared<One>();
        one->number = number;
        one->caller = caller;
        one->priority = priority;
        one->since = now;
        const auto refused = std::static_pointer_cast<One>(queue.push(std::move(one), now));
        return refused ? refused->number : 0;
    }
    int pop(Duration after = 1ms) {
        now += after;
        const auto one = std::static_pointer_cast<One>(queue.pop(now));
        return one ? one->number : 0;
    }
    std::vector<int> rest() {
        std::vector<int> out;
        while (const int number = pop()) out.push_back(number);
        return out;
    }
};

TEST(FairQueue, keeps_the_order_of_one_caller) {
    Queue queue;
    for (int number : {1, 2, 3}) EXPECT_EQ(queue.push(number), 0);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(1, 2, 3));
    EXPECT_TRUE(queue.queue.empty());
}

TEST(FairQueue, callers_take_turns) {
    Queue queue;
    for (int number : {1, 2, 3, 4}) (void)queue.push(number, 1);
    (void)queue.push(11, 2);
    (void)queue.push(12, 2);
    (void)queue.push(21, 3);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(1, 11, 21, 2, 12, 3, 4));
}

TEST(FairQueue, higher_priority_goes_first) {
    Queue queue;
    (void)queue.push(1, 1, Priority::low);
    (void)queue.push(2, 2, Priority::normal);
    (void)queue.push(3, 3, Priority::high);
    (void)queue.push(4, 1, Priority::high);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(3, 4, 2, 1));
}

TEST(FairQueue, who_comes_back_goes_first_of_his_own) {
    Queue queue;
    (void)queue.push(1);
    (void)queue.push(2);
    auto again = std::make_shared<One>();
    again->number = 9;
    again->caller = 1;
    queue.queue.push_front(again);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(9, 1, 2));
}

TEST(FairQueue, when_it_is_full_the_newest_of_who_has_the_most_is_refused) {
    Queue queue(4);
    for (int number : {1, 2, 3}) (void)queue.push(number, 1);
    EXPECT_EQ(queue.push(11, 2), 0);
    EXPECT_EQ(queue.push(21, 3), 3) << "another caller's";
    EXPECT_EQ(queue.push(4, 1), 4) << "one's own";
    EXPECT_EQ(queue.queue.size(), 4U);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(1, 11, 21, 2));
}

TEST(FairQueue, when_it_is_full_low_priority_is_refused_first) {
    Queue queue(2);
    (void)queue.push(1, 1, Priority::low);
    (void)queue.push(2, 2, Priority::normal);
    EXPECT_EQ(queue.push(3, 3, Priority::low), 3);
    EXPECT_EQ(queue.push(4, 2, Priority::normal), 1);
    EXPECT_EQ(queue.push(5, 4, Priority::high), 4) << "the newest of the caller with two";
    EXPECT_THAT(queue.rest(), testing::ElementsAre(5, 2));
}

TEST(FairQueue, who_would_wait_for_too_long_is_refused_and_others_are_not) {
    Queue queue(1'000, 50ms);
    queue.queue.held(10ms);
    for (int number = 1; number <= 10; ++number) (void)queue.push(number);
    for (int number = 1; number <= 10; ++number) (void)queue.pop(10ms);  // ten milliseconds each
    std::vector<int> refused;
    for (int number = 1; number <= 20; ++number)
        if (queue.push(number, 1)) refused.push_back(number);
    EXPECT_EQ(refused.size(), 14U) << "six are five places ahead of a seventh";
    EXPECT_EQ(queue.push(100, 2), 0) << "who asks for little waits for one of the other's";
    EXPECT_EQ(queue.push(101, 2, Priority::low), 101);
}

TEST(FairQueue, low_priority_waits_for_half_as_long) {
    Queue queue(1'000, 50ms);
    queue.queue.held(10ms);
    for (int number = 1; number <= 10; ++number) (void)queue.push(number);
    for (int number = 1; number <= 10; ++number) (void)queue.pop(10ms);
    int taken = 0;
    for (int number = 1; number <= 10; ++number) taken += queue.push(number, 1, Priority::low) == 0 ? 1 : 0;
    EXPECT_EQ(taken, 3) << "twenty milliseconds for the third, thirty for a fourth";
}

TEST(FairQueue, one_and_a_half_holdings_are_waited_for_however_short_the_target_is) {
    Queue queue(1'000, 1ms);
    for (int i = 0; i < 50; ++i) queue.queue.held(1s);
    for (int number = 1; number <= 10; ++number) (void)queue.push(number);
    for (int number = 1; number <= 10; ++number) (void)queue.pop(250ms);  // four at a time
    int taken = 0;
    for (int number = 1; number <= 20; ++number) taken += queue.push(number) == 0 ? 1 : 0;
    EXPECT_GE(taken, 6);
    EXPECT_LE(taken, 7);
}

TEST(FairQueue, an_interval_in_which_nothing_was_free_is_not_taken_for_the_pace) {
    Queue queue(1'000, 50ms);
    queue.queue.held(1ms);
    (void)queue.push(1);
    (void)queue.pop(10s);  // no connection stood
    for (int number = 1; number <= 50; ++number) EXPECT_EQ(queue.push(number), 0);
}

TEST(FairQueue, forgets_who_has_gone) {
    Queue queue;
    for (int number : {1, 2, 3}) (void)queue.push(number, static_cast<std::uint64_t>(number));
    queue.queue.erase_if([](const WaitingPointer& one) { return static_cast<const One&>(*one).number == 2; });
    EXPECT_EQ(queue.queue.size(), 2U);
    EXPECT_THAT(queue.rest(), testing::ElementsAre(1, 3));
}

// A server that does 1,000 a second, asked for 10,000 by one caller and for 100 by another.
TEST(FairQueue, under_ten_times_the_load_goodput_stays_and_nobody_waits_much_longer_than_the_target) {
    constexpr Duration target = 20ms;
    Queue queue(256, target);
    std::mt19937 random(1);
    std::map<std::uint64_t, std::vector<Duration>> waited;
    int quiet_refused = 0, done = 0;
    for (int tick = 0; tick < 100'000; ++tick) {  // of a tenth of a millisecond
        queue.now += 100us;
        (void)queue.push(1, 1);
        if (random() % 100 == 0 && queue.push(2, 2) == 2) ++quiet_refused;
        if (tick % 10 != 0) continue;
        const auto one = queue.queue.pop(queue.now);
        if (!one) continue;
        ++done;
        queue.queue.held(1ms);
        if (tick > 10'000) waited[one->caller].push_back(queue.now - one->since);
    }
    EXPECT_GE(done, 800) << "of a thousand in a second";
    EXPECT_EQ(quiet_refused, 0);
    EXPECT_LE(std::ranges::max(waited[1]), target * 2);
    EXPECT_LE(std::ranges::max(waited[2]), target / 2) << "he waits for the turns of two callers";
}

}  // namespace
}  // namespace millrace::congestion
