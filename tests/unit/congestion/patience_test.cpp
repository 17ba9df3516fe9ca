// What clients say of how long they wait.
#include <gtest/gtest.h>

#include "millrace/core/congestion.hpp"

namespace millrace::congestion {
namespace {

using namespace std::chrono_literals;

std::optional<Duration> patience(std::vector<message::Header> headers) {
    message::Request request;
    request.headers = std::move(headers);
    return patience_of(request);
}

TEST(Patience, is_in_seconds) {
    EXPECT_EQ(patience({{"Request-Timeout", "2"}}), 2s);
    EXPECT_EQ(patience({{"request-timeout", "0.25"}}), 250ms);
    EXPECT_EQ(patience({{"Prefer", "wait=3"}}), 3s);
    EXPECT_EQ(patience({{"Prefer", "count=exact, WAIT = 3"}}), 3s);
}

TEST(Patience, is_the_shortest_of_what_is_said) {
    EXPECT_EQ(patience({{"Request-Timeout", "2"}, {"Prefer", "wait=1"}}), 1s);
    EXPECT_EQ(patience({{"Prefer", "wait=4"}, {"Prefer", "wait=5"}}), 4s);
}

TEST(Patience, is_not_said_by_what_is_no_time) {
    EXPECT_EQ(patience({}), std::nullopt);
    for (const char* value : {"", "0", "-1", "x", "2s", "1e3", "nan", "inf", "86401", "1 2"}) {
        EXPECT_EQ(patience({{"Request-Timeout", value}}), std::nullopt) << value;
        EXPECT_EQ(patience({{"Prefer", std::string("wait=") + value}}), std::nullopt) << value;
    }
    EXPECT_EQ(patience({{"Prefer", "wait"}}), std::nullopt);
    EXPECT_EQ(patience({{"Prefer", "waiting=2"}}), std::nullopt);
}

}  // namespace
}  // namespace millrace::congestion
