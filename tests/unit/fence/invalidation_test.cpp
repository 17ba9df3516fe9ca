// Payloads of invalidations, and the names in them: what a statement says it changed must reach every entry that read it.
#include <gtest/gtest.h>

#include <set>

#include "millrace/core/fence.hpp"

namespace millrace::fence {
namespace {

std::vector<Tag> tags(std::string_view payload) {
    const auto one = parse_invalidation(payload);
    EXPECT_TRUE(one) << payload;
    return one ? one->tags : std::vector<Tag>{};
}

}  // namespace

TEST(Invalidation, reads_an_xid_and_its_tags) {
    const auto one = parse_invalidation("742 api.orders");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->xid, 742U);
    EXPECT_EQ(one->tags, (std::vector<Tag>{"api.orders", "api.orders#*"}));
    EXPECT_TRUE(one->purged.empty());
    EXPECT_EQ(tags("1 api.order%20items%25").front(), "api.order%20items%25") << "as it stands";
}

TEST(Invalidation, of_rows_touches_who_read_them_or_the_table_at_large) {
    EXPECT_EQ(tags("1 a.t#00ff a.t#1234"), (std::vector<Tag>{"a.t", "a.t#00ff", "a.t#1234"}));
    EXPECT_EQ(tags("1 a.t#00ff a.u"), (std::vector<Tag>{"a.t", "a.t#00ff", "a.u", "a.u#*"}));
}

TEST(Invalidation, of_versions_routes_and_everything_stands_for_itself) {
    EXPECT_EQ(tags("1 @v1 @v1/rpc/top *"), (std::vector<Tag>{"*", "@v1", "@v1/rpc/top"}));
}

TEST(Invalidation, marks_hard_purges) {
    const auto one = parse_invalidation("7 a.u !a.t !@v1 @v2 !*");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->tags, (std::vector<Tag>{"*", "@v1", "@v2", "a.t", "a.t#*", "a.u", "a.u#*"}));
    EXPECT_EQ(one->purged, (std::vector<Tag>{"*", "@v1", "a.t", "a.t#*"}));
}

TEST(Invalidation, refuses_what_the_triggers_never_send) {
    for (const std::string& payload :
         {std::string(), std::string("742"), std::string("742 "), std::string("x a"), std::string("0 a"), std::string("-1 a"),
          std::string("1 a  b"), std::string(" 1 a"), std::string("1x a"), std::string("99999999999999999999 a"),
          std::string("1 !"), std::string("1 #00"), std::string("1 a.t#"), std::string("1 !#0"),
          "1 " + std::string(9'000, 'a')})
        EXPECT_FALSE(parse_invalidation(payload)) << payload;
}

TEST(Invalidation, by_key_leaves_other_keys_alone_and_by_table_none) {
    const std::vector<Tag> seven = {key_tag("a.t", std::vector<std::string>{"7"}), whole_tag("a.t")};
    const std::vector<Tag> eight = {key_tag("a.t", std::vector<std::string>{"8"}), whole_tag("a.t")};
    const std::vector<Tag> at_large = {"a.t"};
    const PgSnapshot read{110, 110, {}};
    Fence fence;
    fence.gap(PgSnapshot{100, 100, {}});
    fence.invalidate(*parse_invalidation("120 " + seven.front()));
    EXPECT_FALSE(fence.valid(read, seven));
    EXPECT_TRUE(fence.valid(read, eight));
    EXPECT_FALSE(fence.valid(read, at_large));
    fence.invalidate(*parse_invalidation("130 a.t"));
    EXPECT_FALSE(fence.valid(read, eight));
    EXPECT_FALSE(fence.valid(PgSnapshot{125, 125, {}}, at_large));
}

// select left(encode(sha256(convert_to('42', 'UTF8')), 'hex'), 4), and of '2026-11-26,ä'.
TEST(KeyTag, is_what_postgres_computes) {
    EXPECT_EQ(key_tag("a.t", std::vector<std::string>{"42"}), "a.t#7347");
    EXPECT_EQ(key_tag("a.t", std::vector<std::string>{"2026-11-26", "ä"}), "a.t#7442");
}

TEST(KeyTag, spreads_keys_over_the_buckets) {
    std::set<Tag> seen;
    for (int key = 0; key < 65'536; ++key) seen.insert(key_tag("t", std::vector<std::string>{std::to_string(key)}));
    EXPECT_GT(seen.size(), 40'000U) << "1 - 1/e of them is what chance gives";
}

}  // namespace millrace::fence
