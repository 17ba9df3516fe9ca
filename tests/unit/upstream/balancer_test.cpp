// Which address is asked, and whether another one is.
#include <gtest/gtest.h>

#include <millrace/core/upstream.hpp>
#include <set>

namespace millrace::upstream {
namespace {

using namespace std::chrono_literals;
using message::Method;

const TimePoint start{1h};
const std::vector<bool> none_tried(3);

Balancer three() { return {3, 2, 1s}; }

std::optional<std::size_t> choose(Balancer& balancer, TimePoint now = start, const std::vector<bool>& tried = none_tried,
                                  bool may_fail = false) {
    return balancer.choose(tried, may_fail, now).address;
}

void break_address(Balancer& balancer, std::size_t address, TimePoint now) {
    balancer.failed(address, now);
    balancer.failed(address, now);
}

}  // namespace

TEST(Balancer, goes_round_among_those_that_have_as_much_to_do) {
    Balancer balancer = three();
    std::set<std::size_t> chosen;
    for (int i = 0; i < 3; ++i) chosen.insert(*choose(balancer));
    EXPECT_EQ(chosen.size(), 3U);
}

TEST(Balancer, chooses_the_one_with_the_fewest_requests_under_way) {
    Balancer balancer = three();
    balancer.began(0);
    balancer.began(2);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(choose(balancer), 1U);
    balancer.ended(0);
    balancer.began(1);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(choose(balancer), 0U);
}

TEST(Balancer, leaves_alone_what_fails_its_check) {
    Balancer balancer = three();
    balancer.checked(0, false);
    balancer.checked(1, false);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(choose(balancer), 2U);
    balancer.checked(2, false);
    const auto choice = balancer.choose(none_tried, false, start);
    EXPECT_FALSE(choice.address);
    EXPECT_EQ(choice.why, Balancer::None::down);
    balancer.checked(1, true);
    EXPECT_EQ(choose(balancer), 1U);
}

TEST(Balancer, leaves_alone_what_failed_until_its_time_is_over) {
    Balancer balancer = three();
    break_address(balancer, 0, start);
    EXPECT_FALSE(balancer.up(0));
    for (int i = 0; i < 6; ++i) EXPECT_NE(choose(balancer), 0U);
    for (int i = 0; i < 6; ++i) EXPECT_NE(choose(balancer, start + 2s), 0U) << "who cannot go elsewhere does not try it";
    EXPECT_EQ(choose(balancer, start + 2s, none_tried, true), 0U) << "a request that can go elsewhere tries it";
    EXPECT_NE(choose(balancer, start + 2s, none_tried, true), 0U) << "and only one";
    balancer.succeeded(0);
    EXPECT_TRUE(balancer.up(0));
}

TEST(Balancer, says_when_all_are_left_alone) {
    Balancer balancer = three();
    for (std::size_t at = 0; at < 3; ++at) break_address(balancer, at, start);
    const auto choice = balancer.choose(none_tried, false, start);
    EXPECT_FALSE(choice.address);
    EXPECT_EQ(choice.why, Balancer::None::open);
    EXPECT_TRUE(choose(balancer, start + 1s)) << "somebody has to try when nobody else is there";
}

TEST(Balancer, does_not_choose_what_was_tried) {
    Balancer balancer = three();
    EXPECT_EQ(choose(balancer, start, {true, false, true}), 1U);
    EXPECT_FALSE(choose(balancer, start, {true, true, true}));
}

TEST(UpstreamRetry, never_does_anything_twice) {
    EXPECT_TRUE(may_retry(Method::get, Failure::lost, 0, 1));
    EXPECT_TRUE(may_retry(Method::put, Failure::lost, 0, 1));
    EXPECT_FALSE(may_retry(Method::post, Failure::lost, 0, 1));
    EXPECT_FALSE(may_retry(Method::patch, Failure::lost, 0, 1));
    EXPECT_TRUE(may_retry(Method::post, Failure::connect, 0, 1)) << "nothing was sent";
    EXPECT_FALSE(may_retry(Method::get, Failure::timed_out, 0, 1));
    EXPECT_FALSE(may_retry(Method::get, Failure::garbage, 0, 1));
    EXPECT_FALSE(may_retry(Method::get, Failure::connect, 1, 1));
}

}  // namespace millrace::upstream
