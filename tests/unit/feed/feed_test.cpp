// Bulletins as text, what an announcer keeps, how a follower joins, and two sources as one.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "millrace/core/feed.hpp"

namespace millrace::feed {
namespace {

using namespace std::chrono_literals;
using Payloads = std::vector<std::string>;

PgSnapshot snap(std::string_view text) { return PgSnapshot::parse(text).value(); }

replication::Transaction commit_of(Lsn commit, std::string word = "t.a") { return {0, commit, commit + 5, {std::move(word)}}; }

Bulletin beat_at(Announcer& announcer, std::string_view snapshot, Lsn position) {
    announcer.beat(snap(snapshot), 3ms);
    announcer.reached(position);
    return announcer.take();
}

const TimePoint start{};

}  // namespace

TEST(Bulletin, is_read_as_it_was_written) {
    Bulletin bulletin;
    bulletin.term = 3;
    bulletin.sequence = 18'446'744'073'709'551'615U;
    bulletin.life = {7'444'444'444'444'444'444U, 2};
    bulletin.position = 99;
    bulletin.from = 42;
    bulletin.payloads = {"7 a.b", "8 with\nline a.c"};
    bulletin.beat = Beat{snap("10:20:11,15"), 1500us, true, {"9 x.y"}};
    const auto read = decode(encode(bulletin));
    ASSERT_TRUE(read);
    EXPECT_EQ(encode(*read), encode(bulletin));
    EXPECT_EQ(read->payloads, bulletin.payloads);
    EXPECT_EQ(read->beat->unseen, bulletin.beat->unseen);
    EXPECT_EQ(read->beat->lag, 1500us);
    EXPECT_EQ(read->life, bulletin.life);
}

TEST(Bulletin, anything_else_is_none) {
    const std::string good = encode(Bulletin{1, 2, {3, 4}, 5, 6, {"7 a.b"}, Beat{snap("1:2:"), 0ms, false, {"8 c.d"}}});
    EXPECT_TRUE(decode(good));
    for (std::size_t size = 0; size < good.size(); ++size) {
        const auto cut = decode(good.substr(0, size));  // may end after a whole line, and says less then
        EXPECT_FALSE(cut && cut->beat && !cut->beat->unseen.empty()) << size;
    }
    for (const char* wrong :
         {"", "millrace 2 1 2 3 4 5\n", "millrace 1 1 2 3 4\n", "millrace 1 1 2 3 4 5", "millrace 1 -1 2 3 4 5\n",
          "millrace 1 1 2 3 4 5\ntouched 99999999999999999999 x\n", "millrace 1 1 2 3 4 5\nbeat 1 1\nsnapshot 1\nx\n"})
        EXPECT_FALSE(decode(wrong)) << wrong;
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = good;
        bytes[random() % bytes.size()] = static_cast<char>(random());
        static_cast<void>(decode(bytes));
    }
}

TEST(Payloads, are_cut_to_what_a_payload_may_be) {
    const std::vector<std::string> words(1'000, std::string(30, 'x'));
    const auto payloads = payloads_of(77, words);
    EXPECT_EQ(payloads.size(), 4U);
    std::size_t told = 0;
    for (const auto& payload : payloads) {
        EXPECT_LE(payload.size(), 8'000U);
        EXPECT_TRUE(payload.starts_with("77 "));
        EXPECT_TRUE(fence::parse_invalidation(payload));
        told += static_cast<std::size_t>(std::ranges::count(payload, ' '));
    }
    EXPECT_EQ(told, words.size());
    EXPECT_TRUE(payloads_of(77, {}).empty());
}

TEST(Announcer, says_again_what_no_snapshot_has_seen) {
    Announcer announcer(1, {1, 1}, 50);
    announcer.add(commit_of(100), 10);
    announcer.add(commit_of(110, "t.b"), 11);
    auto first = beat_at(announcer, "10:12:10", 120);
    EXPECT_EQ(first.payloads, (Payloads{"10 t.a", "11 t.b"}));
    EXPECT_TRUE(first.beat->joinable);
    EXPECT_EQ(first.beat->unseen, (Payloads{"10 t.a"})) << "it is in the log, and not visible yet";
    EXPECT_EQ(announcer.confirmed(), 100U);
    auto second = beat_at(announcer, "12:12:", 130);
    EXPECT_TRUE(second.payloads.empty());
    EXPECT_TRUE(second.beat->unseen.empty());
    EXPECT_EQ(announcer.confirmed(), 130U);
}

TEST(Announcer, without_room_nobody_joins_until_all_is_seen) {
    Announcer announcer(1, {1, 1}, 0, 4);
    announcer.seen(snap("10:10:"));
    for (Xid xid = 10; xid < 15; ++xid) announcer.add(commit_of(100 * xid), xid);
    EXPECT_EQ(announcer.confirmed(), 1'000U) << "what was dropped must be decoded again";
    EXPECT_FALSE(beat_at(announcer, "11:15:11", 2'000).beat->joinable);
    EXPECT_TRUE(beat_at(announcer, "15:15:", 2'010).beat->joinable);
    EXPECT_EQ(announcer.confirmed(), 2'010U);
}

TEST(Announcer, a_beat_older_than_what_made_room_is_no_place_to_join) {
    Announcer announcer(1, {1, 1}, 0, 4);
    announcer.seen(snap("20:20:"));  // taken after the beat that comes out only below
    for (Xid xid = 10; xid < 15; ++xid) announcer.add(commit_of(100 * xid), xid);
    EXPECT_FALSE(beat_at(announcer, "12:12:", 2'000).beat->joinable);
    EXPECT_TRUE(beat_at(announcer, "20:20:", 2'010).beat->joinable);
}

struct FollowerTest : testing::Test {
    Heard hear(const Bulletin& bulletin, Duration at = 0ms) { return follower.hear(encode(bulletin), start + at); }
    void SetUp() override { follower.subscribed(); }
    Follower follower;
    Announcer announcer{1, {1, 1}, 50};
};

TEST_F(FollowerTest, joins_at_a_beat_and_then_hears_beats) {
    EXPECT_FALSE(hear(announcer.opening()).joined);
    announcer.add(commit_of(100), 10);
    const auto joined = hear(beat_at(announcer, "10:11:10", 120));
    ASSERT_TRUE(joined.joined);
    EXPECT_EQ(joined.payloads, (Payloads{"10 t.a", "10 t.a"}));
    const auto next = hear(beat_at(announcer, "11:11:", 130));
    EXPECT_FALSE(next.joined);
    EXPECT_TRUE(next.beat);
    EXPECT_EQ(next.lag, 3ms);
    EXPECT_FALSE(next.gap);
}

TEST_F(FollowerTest, a_hole_is_a_gap_that_ends_at_the_next_beat) {
    hear(beat_at(announcer, "10:10:", 100));
    announcer.add(commit_of(110), 10);
    static_cast<void>(announcer.take());
    announcer.add(commit_of(120), 11);
    const auto hole = hear(announcer.take());
    EXPECT_EQ(hole.gap, "bulletins were missed");
    EXPECT_FALSE(follower.joined());
    EXPECT_TRUE(hear(beat_at(announcer, "12:12:", 130)).joined);
}

TEST_F(FollowerTest, a_successor_that_begins_in_time_is_no_gap) {
    hear(beat_at(announcer, "10:10:", 100));
    Announcer in_time(2, {1, 1}, 90), late(4, {1, 1}, 900), other_life(5, {1, 2}, 0);
    EXPECT_FALSE(hear(in_time.opening()).gap);
    EXPECT_TRUE(hear(beat_at(in_time, "11:11:", 120)).beat);
    announcer.add(commit_of(105), 10);
    EXPECT_TRUE(hear(announcer.take()).payloads.empty()) << "a predecessor is not listened to";
    EXPECT_TRUE(hear(late.opening()).gap);
    EXPECT_TRUE(hear(beat_at(late, "12:12:", 910)).joined);
    EXPECT_TRUE(hear(other_life.opening()).gap) << "places of another timeline do not compare";
    EXPECT_EQ(follower.highest_term(), 5U);
}

TEST_F(FollowerTest, a_successor_whose_opening_was_missed_is_a_gap) {
    hear(beat_at(announcer, "10:10:", 100));
    Announcer next(2, {1, 1}, 90);
    static_cast<void>(next.opening());
    next.add(commit_of(110), 10);
    EXPECT_TRUE(hear(next.take()).gap);
}

TEST_F(FollowerTest, what_cannot_be_read_a_loss_and_silence_are_gaps) {
    hear(beat_at(announcer, "10:10:", 100), 1s);
    EXPECT_FALSE(follower.check(start + 3s, 2s));
    EXPECT_TRUE(follower.check(start + 3001ms, 2s));
    EXPECT_FALSE(follower.check(start + 5s, 2s)) << "once";
    EXPECT_TRUE(hear(beat_at(announcer, "11:11:", 110)).joined);
    EXPECT_TRUE(follower.hear("nonsense", start).gap);
    EXPECT_TRUE(hear(beat_at(announcer, "12:12:", 120)).joined);
    EXPECT_EQ(follower.lost("the connection"), "the connection");
    EXPECT_FALSE(hear(beat_at(announcer, "13:13:", 130)).joined) << "not subscribed";
    follower.subscribed();
    EXPECT_TRUE(hear(beat_at(announcer, "14:14:", 140)).joined);
}

TEST_F(FollowerTest, after_a_loss_terms_may_begin_anew) {
    Announcer ninth(9, {1, 1}, 0), first(1, {1, 1}, 0);
    hear(beat_at(ninth, "10:10:", 100));
    static_cast<void>(follower.lost("Redis restarted"));
    follower.subscribed();
    EXPECT_TRUE(hear(beat_at(first, "11:11:", 110)).joined);
}

using Side = Pair::Side;

TEST(Pair, is_alive_while_both_are) {
    Pair pair(5s);
    EXPECT_FALSE(pair.listening(Side::notify, snap("10:10:")).listening);
    const auto both = pair.listening(Side::decoded, snap("9:9:"));
    EXPECT_EQ(both.listening->to_string(), "10:10:") << "the later one";
    pair.lost(Side::decoded);
    EXPECT_FALSE(pair.beat(Side::notify, snap("11:11:"), 1ms, start).beat);
    EXPECT_TRUE(pair.listening(Side::decoded, snap("12:12:")).listening);
}

TEST(Pair, counts_a_beat_when_both_have_come_so_far) {
    Pair pair(5s);
    static_cast<void>(pair.listening(Side::notify, snap("10:10:")));
    static_cast<void>(pair.listening(Side::decoded, snap("8:8:")));
    EXPECT_FALSE(pair.beat(Side::decoded, snap("9:9:"), 1ms, start).beat) << "before the gap's end";
    EXPECT_FALSE(pair.beat(Side::notify, snap("15:15:"), 1ms, start).beat);
    const auto counted = pair.beat(Side::decoded, snap("12:12:"), 2ms, start + 1s);
    EXPECT_EQ(counted.beat->to_string(), "12:12:");
    EXPECT_EQ(counted.lag, 2ms);
    EXPECT_EQ(pair.beat(Side::decoded, snap("20:20:"), 2ms, start + 1s).beat->to_string(), "15:15:");
}

TEST(Pair, tells_lateness_by_its_own_snapshots) {
    Pair pair(5s);
    static_cast<void>(pair.listening(Side::notify, snap("10:10:")));
    static_cast<void>(pair.listening(Side::decoded, snap("10:10:")));
    for (int second = 0; second < 10; ++second)
        static_cast<void>(pair.beat(Side::notify, {20U + static_cast<Xid>(second), 20U + static_cast<Xid>(second), {}}, 0ms,
                                    start + std::chrono::seconds(second)));
    EXPECT_EQ(pair.beat(Side::decoded, snap("21:21:"), 1ms, start + 9s).lag, 8s) << "what was true at second 1";
    EXPECT_EQ(pair.beat(Side::decoded, snap("28:28:"), 1ms, start + 9s).lag, 1ms) << "in time";
}

}  // namespace millrace::feed
