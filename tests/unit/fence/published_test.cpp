// A new replica takes over what a peer knows: what it may then trust, what it must refuse, and that leaving out any part of the
// rule would be noticed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <regex>

#include "millrace/core/fence.hpp"
#include "millrace/core/text.hpp"

namespace millrace::fence {
namespace {

PgSnapshot snap(std::string_view text) { return PgSnapshot::parse(text).value(); }

const std::string scope = "millrace:v1:77:1";
const std::vector<Tag> orders = {"api.orders"}, items = {"api.items"};

// A peer that has listened since 100, and a replica that joined at 200.
struct Joined : testing::Test {
    Fence peer, fence;
    Joined() {
        peer.gap(snap("100:100:"));
        peer.invalidate({{"api.orders"}, 150});
        peer.heartbeat(snap("200:200:"));
        fence.gap(snap("200:200:"));
    }
};
using PublishedStates = Joined;

// The text with another body under a right checksum, so that what is read behind the checksum is reached.
std::string resealed(const std::string& text, const std::function<std::string(std::string)>& change) {
    const std::size_t head = text.find('\n') + 1;
    const std::string body = change(text.substr(head));
    std::array<char, 17> digest{};
    std::snprintf(digest.data(), digest.size(), "%016llx",
                  static_cast<unsigned long long>(text::hash64(body, text::hash64(scope))));
    return text.substr(0, text.rfind(' ', head - 2) + 1) + digest.data() + "\n" + body;
}

std::string with_line(const std::string& text, const std::string& kind, const std::string& line) {
    return resealed(text,
                    [&](const std::string& body) { return std::regex_replace(body, std::regex(kind + " [^\n]*\n"), line); });
}

}  // namespace

TEST_F(PublishedStates, let_a_new_replica_use_what_was_read_before_it_came) {
    ASSERT_FALSE(fence.valid(snap("120:120:"), items));
    const std::uint64_t before = fence.version();
    ASSERT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
    EXPECT_TRUE(fence.valid(snap("120:120:"), items));
    EXPECT_FALSE(fence.valid(snap("120:120:"), orders)) << "150 came after it";
    EXPECT_TRUE(fence.valid(snap("151:151:"), orders));
    EXPECT_FALSE(fence.valid(snap("99:99:"), items)) << "the peer does not know what came before it";
    EXPECT_NE(fence.version(), before);
}

TEST_F(PublishedStates, leave_in_force_what_was_heard_since) {
    fence.invalidate({{"api.items"}, 210});
    ASSERT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
    EXPECT_FALSE(fence.valid(snap("120:120:"), items));
    EXPECT_FALSE(fence.valid(snap("205:205:"), items));
    EXPECT_TRUE(fence.valid(snap("211:211:"), items));
}

TEST_F(PublishedStates, of_a_peer_that_has_not_heard_what_the_floor_sees_are_refused) {
    Fence behind;
    behind.gap(snap("100:100:"));
    behind.heartbeat(snap("190:190:"));
    behind.invalidate({{"api.orders"}, 250});  // newer than anything, yet no proof that all before it was heard
    EXPECT_FALSE(fence.adopt_states(behind.encode_states(scope), scope));
    EXPECT_FALSE(fence.valid(snap("120:120:"), items));
    behind.heartbeat(snap("195:210:195"));
    EXPECT_FALSE(fence.adopt_states(behind.encode_states(scope), scope)) << "195 is open there, and seen by the floor here";
    behind.heartbeat(snap("200:210:205"));
    EXPECT_TRUE(fence.adopt_states(behind.encode_states(scope), scope));
}

TEST_F(PublishedStates, are_measured_by_the_present_floor_not_by_the_first) {
    fence.invalidate({{"api.items"}, 210});
    fence.gap(snap("220:220:"));
    EXPECT_FALSE(fence.adopt_states(peer.encode_states(scope), scope));
    peer.heartbeat(snap("220:220:"));
    EXPECT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
}

TEST_F(PublishedStates, that_gain_nothing_are_not_taken) {
    EXPECT_FALSE(peer.adopt_states(fence.encode_states(scope), scope));
    EXPECT_TRUE(peer.valid(snap("120:120:"), items));
    ASSERT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
    EXPECT_FALSE(fence.adopt_states(peer.encode_states(scope), scope)) << "a second time";
}

TEST_F(PublishedStates, need_both_sides_fenced) {
    const std::string published = peer.encode_states(scope);
    peer.unfence();
    EXPECT_TRUE(peer.encode_states(scope).empty());
    fence.unfence();
    EXPECT_FALSE(fence.adopt_states(published, scope));
    EXPECT_FALSE(Fence().adopt_states(published, scope));
}

TEST_F(PublishedStates, carry_floors_ranges_and_what_touched_everything) {
    for (Xid xid = 151; xid <= 190; ++xid) peer.invalidate({{"api.folded"}, xid});  // floors of their own
    for (Xid xid = 201; xid <= 350; ++xid) peer.invalidate({{"api.many"}, xid});    // kept as a range
    peer.invalidate({{"*"}, 105});
    ASSERT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
    for (const std::string tag : {"api.folded", "api.many", "api.orders", "api.items"})
        for (Xid xid = 100; xid < 360; ++xid)
            for (const PgSnapshot& read : {PgSnapshot{xid, xid, {}}, PgSnapshot{xid, 360, {xid}}})
                ASSERT_EQ(fence.valid(read, std::vector<Tag>{tag}), peer.valid(read, std::vector<Tag>{tag}))
                    << tag << " " << read.to_string();
}

TEST_F(PublishedStates, carry_hard_purges) {
    peer.invalidate({{"@v1"}, 160, {"@v1"}});
    ASSERT_TRUE(fence.purged(snap("120:120:"), orders)) << "nobody knows yet what was purged before it came";
    ASSERT_TRUE(fence.adopt_states(peer.encode_states(scope), scope));
    EXPECT_FALSE(fence.purged(snap("120:120:"), orders));
    EXPECT_TRUE(fence.purged(snap("120:120:"), std::vector<Tag>{"@v1"}));
    EXPECT_TRUE(fence.purged(snap("99:99:"), orders));
}

TEST_F(PublishedStates, of_another_scope_or_damaged_are_refused) {
    const std::string published = peer.encode_states(scope);
    EXPECT_FALSE(fence.adopt_states(published, "millrace:v1:77:2"));
    EXPECT_FALSE(fence.adopt_states("", scope));
    for (std::size_t i = 0; i < published.size(); ++i) {
        std::string damaged = published;
        damaged[i] ^= 1;
        EXPECT_FALSE(fence.adopt_states(damaged, scope)) << i;
        EXPECT_FALSE(fence.adopt_states(published.substr(0, i), scope)) << i;
    }
    EXPECT_TRUE(fence.adopt_states(published, scope));
}

TEST_F(PublishedStates, that_nobody_could_have_written_are_refused_behind_a_right_checksum) {
    const std::string published = peer.encode_states(scope);
    ASSERT_EQ(resealed(published, [](const std::string& body) { return body; }), published);
    for (const std::string& line :
         {std::string("tag api.x 0 - 5\n"), std::string("tag api.x - 9-5 5\n"), std::string("tag api.x - - 0\n"),
          std::string("tag api.x - - 5,,6\n"), std::string("tag api.x - - 5x\n"), std::string("tag  - - 5\n"),
          std::string("tag api.x - - 5 6\n"), std::string("floor 1:1:\n"), std::string("at 5\n"), std::string("more 5\n"),
          std::string("\n"), std::string("lost 5\n"), std::string("purge @v1 5\n"), std::string("tag api.x - - -5\n")})
        EXPECT_FALSE(fence.adopt_states(resealed(published, [&](const std::string& body) { return body + line; }), scope))
            << line;
    for (const std::string kind : {"latest", "floor", "heard"})
        EXPECT_FALSE(fence.adopt_states(with_line(published, kind, ""), scope)) << kind;
    std::string endless = "tag api.x - - 1";
    for (int xid = 2; xid < 2'000; ++xid) endless += ',' + std::to_string(xid);
    EXPECT_FALSE(
        fence.adopt_states(resealed(published, [&](const std::string& body) { return body + endless + '\n'; }), scope));
    EXPECT_TRUE(fence.adopt_states(published, scope)) << "and nothing of all that was kept";
}

TEST(PublishedTags, stay_within_the_bound) {
    Fence peer(1'000), small(100);
    peer.gap(snap("1:1:"));
    for (Xid xid = 1; xid <= 400; ++xid) peer.invalidate({{"t" + std::to_string(xid)}, xid});
    peer.heartbeat(snap("500:500:"));
    small.gap(snap("500:500:"));
    EXPECT_FALSE(small.adopt_states(peer.encode_states(scope), scope));
    EXPECT_EQ(small.tags(), 0U);
    Fence same(1'000);
    same.gap(snap("500:500:"));
    for (Xid xid = 500; xid < 590; ++xid) same.invalidate({{"n" + std::to_string(xid)}, xid});
    ASSERT_TRUE(same.adopt_states(peer.encode_states(scope), scope));
    for (Xid xid = 600; xid < 5'000; ++xid) {
        same.invalidate({{"m" + std::to_string(xid)}, xid});
        if (xid % 7 == 0) same.heartbeat(PgSnapshot{xid + 1, xid + 1, {}});
        ASSERT_LE(same.tags(), 1'000U);
        ASSERT_FALSE(same.valid(snap("300:300:"), std::vector<Tag>{"t350"})) << "folded or kept, never forgotten";
    }
}

namespace {

enum class Fault { none, adopts_from_the_past, forgets_states, forgets_ranges, forgets_own };

// One Postgres, a peer that hears everything, and replicas that join and adopt; whatever they hold valid must see what touched
// its tags and they must know. Whether a fault is noticed is asked of every history.
bool sound(std::uint64_t seed, Fault fault, int& adopted) {
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
    const auto pick = [&](std::size_t count) { return random() % count; };
    Fence peer(20, pick(3), pick(3)), fence(20, pick(3), pick(3));
    std::map<Xid, std::size_t> open;
    std::vector<std::pair<Xid, std::size_t>> committed;  // and their tag
    std::vector<PgSnapshot> read;
    Xid next = 10, completed = 9;
    std::size_t must_know = 0;  // of `committed`
    const auto now = [&] {
        PgSnapshot taken{completed + 1, completed + 1, {}};
        for (const auto& [xid, tag] : open)
            if (xid < taken.xmax) taken.in_progress.push_back(xid);
        if (!taken.in_progress.empty()) taken.xmin = taken.in_progress.front();
        return taken;
    };
    peer.gap(now());
    for (int step = 0; step < 120; ++step) {
        // Of the first fault: the peer stops hearing, and what it knows is published as if it had gone on.
        const bool deaf = fault == Fault::adopts_from_the_past && step >= 30;
        const std::size_t what = pick(10);
        if (what < 3) {
            open.emplace(next++, pick(4));
        } else if (what < 6 && !open.empty()) {
            const auto done = std::next(open.begin(), static_cast<std::ptrdiff_t>(pick(open.size())));
            const Invalidation invalidation{{"t" + std::to_string(done->second)}, done->first};
            completed = std::max(completed, done->first);
            committed.emplace_back(done->first, done->second);
            open.erase(done);
            if (!deaf) peer.invalidate(invalidation);
            if (fence.fenced()) {
                if (fault != Fault::forgets_own) fence.invalidate(invalidation);
                must_know = committed.size();
            }
        } else if (what < 7) {
            if (!deaf) peer.heartbeat(now());
            if (fence.fenced() && pick(3) == 0) fence.heartbeat(now());
        } else if (what < 8) {
            read.push_back(now());
        } else if (what < 9 && step > 40 && !fence.fenced()) {
            fence.gap(now());
            must_know = committed.size();
        } else if (fence.fenced()) {
            std::string published = peer.encode_states(scope);
            const std::string latest = "latest " + fence.latest().to_string() + "\n";
            if (fault == Fault::adopts_from_the_past) published = with_line(published, "latest", latest);
            if (fault == Fault::forgets_states) published = with_line(published, "tag t[01]", "");
            if (fault == Fault::forgets_ranges)
                published = resealed(published, [](const std::string& body) {
                    return std::regex_replace(body, std::regex("(tag [^ ]+ [^ ]+) [^ ]+ "), "$1 - ");
                });
            adopted += fence.adopt_states(published, scope) ? 1 : 0;
        }
    }
    for (const PgSnapshot& snapshot : read)
        for (std::size_t tag = 0; tag < 4; ++tag) {
            if (!fence.valid(snapshot, std::vector<Tag>{"t" + std::to_string(tag)})) continue;
            for (std::size_t i = 0; i < must_know; ++i)
                if (committed[i].second == tag && !snapshot.sees(committed[i].first)) return false;
        }
    return true;
}

}  // namespace

TEST(PublishedHistories, adopting_never_makes_a_replica_forget) {
    int adopted = 0;
    for (std::uint64_t seed = 1; seed <= 5'000; ++seed) ASSERT_TRUE(sound(seed, Fault::none, adopted)) << "seed " << seed;
    EXPECT_GT(adopted, 2'000);
    for (const Fault fault : {Fault::adopts_from_the_past, Fault::forgets_states, Fault::forgets_ranges, Fault::forgets_own}) {
        std::uint64_t seed = 1;
        while (seed <= 5'000 && sound(seed, fault, adopted)) ++seed;
        EXPECT_LE(seed, 5'000U) << "fault " << static_cast<int>(fault) << " went unnoticed";
    }
}

}  // namespace millrace::fence
