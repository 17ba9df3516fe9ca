// A key's slot, and what a cluster says of its slots: what is right, and what a node that lies could say.
#include <gtest/gtest.h>

#include "slots.hpp"

namespace millrace::redis {
namespace {

Value integer(std::int64_t number) { return {ValueKind::integer, {}, number, {}}; }
Value text(std::string_view words) { return {ValueKind::string, std::string(words), 0, {}}; }
Value array(std::vector<Value> items) { return {ValueKind::array, {}, 0, std::move(items)}; }
Value range(std::int64_t first, std::int64_t last, Value host, std::int64_t port) {
    Value replica = array({text("10.0.0.9"), integer(1), text("id"), array({})});
    return array({integer(first), integer(last), array({std::move(host), integer(port), text("id")}), std::move(replica)});
}

const Endpoint asked{"10.0.0.1", 7000, {}};

std::optional<std::string_view> key_of(std::vector<std::string_view> words) { return first_key(words); }

}  // namespace

TEST(RedisSlots, are_those_of_the_cluster_specification) {
    EXPECT_EQ(slot_of("123456789"), 0x31C3);
    EXPECT_EQ(slot_of("foo"), 12'182);
    EXPECT_EQ(slot_of(""), 0);
    EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
    EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
    EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
    EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
    EXPECT_NE(slot_of("foo{bar"), slot_of("bar"));
}

TEST(RedisSlots, a_command_goes_by_its_first_key) {
    EXPECT_EQ(key_of({"GET", "k"}), "k");
    EXPECT_EQ(key_of({"set", "k", "v", "PX", "5"}), "k");
    EXPECT_EQ(key_of({"DEL", "k", "l"}), "k");
    EXPECT_EQ(key_of({"EVALSHA", "sha", "1", "k", "v"}), "k");
    EXPECT_EQ(key_of({"eval", "source", "2", "k", "l"}), "k");
    EXPECT_EQ(key_of({"NOVELTY", "k"}), "k");
    for (const std::vector<std::string_view>& anywhere : {std::vector<std::string_view>{"PING"},
                                                          {"PUBLISH", "c", "m"},
                                                          {"publish", "c", "m"},
                                                          {"EVAL", "source", "0", "v"},
                                                          {"EVAL", "source"},
                                                          {"SCRIPT", "LOAD", "x"},
                                                          {}})
        EXPECT_EQ(key_of(anywhere), std::nullopt);
}

TEST(RedisSlots, redirects_are_read) {
    const auto moved = read_redirect("MOVED 3999 127.0.0.1:6381", asked);
    ASSERT_TRUE(moved);
    EXPECT_FALSE(moved->once);
    EXPECT_EQ(moved->slot, 3999);
    EXPECT_EQ(moved->to.host, "127.0.0.1");
    EXPECT_EQ(moved->to.port, 6381);
    EXPECT_TRUE(read_redirect("ASK 0 h:1", asked)->once);
    EXPECT_EQ(read_redirect("MOVED 1 ::1:6381", asked)->to.host, "::1");
    EXPECT_EQ(read_redirect("MOVED 1 :6381", asked)->to.host, "10.0.0.1");
    EXPECT_EQ(read_redirect("MOVED 1 ?:6381", asked)->to.host, "10.0.0.1");
    for (const std::string_view other : {"ERR no", "MOVED", "MOVED ", "MOVED 1", "MOVED x h:1", "MOVED 16384 h:1",
                                         "MOVED -1 h:1", "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536",
                                         "MOVED 1 h:1x", "MOVED h:1 2", "ASKING", "TRYAGAIN Multiple keys", ""})
        EXPECT_FALSE(read_redirect(other, asked)) << other;
}

TEST(RedisSlots, the_map_is_read) {
    const auto ranges = read_slots(
        array({range(0, 99, text("10.0.0.2"), 7001), range(100, 16'383, {}, 7002), range(5, 5, text(""), 7003)}), asked);
    ASSERT_TRUE(ranges);
    ASSERT_EQ(ranges->size(), 3U);
    EXPECT_EQ((*ranges)[0].last, 99);
    EXPECT_EQ((*ranges)[0].master.host, "10.0.0.2");
    EXPECT_EQ((*ranges)[0].master.port, 7001);
    EXPECT_EQ((*ranges)[1].master.host, "10.0.0.1");
    EXPECT_EQ((*ranges)[2].master.host, "10.0.0.1");
}

TEST(RedisSlots, a_map_that_makes_no_sense_is_refused_whole) {
    const Value good = range(0, 99, text("h"), 1);
    for (const Value& bad : {range(-1, 5, text("h"), 1), range(0, 16'384, text("h"), 1), range(6, 5, text("h"), 1),
                             range(0, 5, text("h"), 0), range(0, 5, text("h"), 65'536), range(0, 5, integer(1), 1),
                             array({integer(0), integer(1)}), array({text("0"), text("1"), array({text("h"), integer(1)})}),
                             array({integer(0), integer(1), array({text("h")})}), array({}), text("x")})
        EXPECT_FALSE(read_slots(array({good, bad}), asked));
    EXPECT_FALSE(read_slots(array({}), asked));
    EXPECT_FALSE(read_slots(text("x"), asked));
    EXPECT_EQ(read_slots({ValueKind::error, "ERR This instance has cluster support disabled", 0, {}}, asked).error().message,
              "ERR This instance has cluster support disabled");
}

}  // namespace millrace::redis
