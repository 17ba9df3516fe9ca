// For how long a channel that was heard may be relied on.
#include <gtest/gtest.h>

#include "millrace/core/fence.hpp"

namespace millrace::fence {
namespace {

using namespace std::chrono_literals;

const TimePoint start{1'000s};

}  // namespace

TEST(Trust, nothing_is_relied_on_before_the_first_proof_and_after_loss) {
    Trust trust(6s);
    EXPECT_FALSE(trust.holds(start));
    trust.prove(start);
    EXPECT_TRUE(trust.holds(start));
    trust.lose();
    EXPECT_FALSE(trust.holds(start));
}

TEST(Trust, a_beat_counts_from_when_it_began_however_late_it_comes) {
    Trust trust(6s);
    trust.prove(start);
    EXPECT_TRUE(trust.holds(start + 5'999ms));
    EXPECT_FALSE(trust.holds(start + 6s));
    trust.prove(start + 1s);
    EXPECT_TRUE(trust.holds(start + 6s));
    trust.prove(start);
    EXPECT_TRUE(trust.holds(start + 6s)) << "an older proof takes nothing back";
}

}  // namespace millrace::fence
