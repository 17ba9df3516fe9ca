// Transactions out of messages: which tags they touched, and what cannot be told apart.
#include <gtest/gtest.h>

#include "bytes.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

using namespace testing_bytes;
using Words = std::vector<std::string>;

constexpr std::uint32_t int4 = 23, text_type = 25, boolean = 16, timestamptz = 1184;

struct AssemblerTest : testing::Test {
    void learn(const std::string& bytes, Lineage lineage) {
        const auto message = read_message(bytes);
        ASSERT_TRUE(message);
        EXPECT_TRUE(assembler.learn(std::get<Relation>(*message), std::move(lineage)));
    }
    bool take(const std::string& bytes) {
        const auto message = read_message(bytes);
        return message && assembler.take(*message);
    }
    Words words_of(const std::vector<std::string>& changes) {
        EXPECT_TRUE(take(begin(7)));
        for (const auto& change : changes) EXPECT_TRUE(take(change));
        EXPECT_TRUE(take(commit(100, 120)));
        const auto ended = assembler.finished();
        EXPECT_TRUE(ended);
        EXPECT_FALSE(assembler.finished()) << "once";
        return ended ? ended->words : Words{};
    }
    void SetUp() override {
        learn(relation(1, "shop", "products", 'd', {{"id", int4}, {"name", text_type}}), {{}, {"id"}});
        learn(relation(2, "shop", "no key", 'f', {{"a", int4}}), {});
        learn(relation(3, "inside", "part", 'd', {{"at", int4}, {"id", int4}}),
              {{{"shop.whole", true}, {"shop.odd", false}}, {"id", "at"}});
        learn(relation(4, "shop", "seen", 'd', {{"at", timestamptz}}), {{}, {"at"}});
        learn(relation(5, "shop", "by_index", 'i', {{"id", int4}, {"code", int4}}), {{}, {"id"}});
        learn(relation(6, "shop", "flags", 'd', {{"on", boolean}}), {{}, {"on"}});
    }
    Assembler assembler;
};

std::string row(const char* table, const std::vector<std::string>& key) { return fence::key_tag(table, key); }

}  // namespace

TEST_F(AssemblerTest, rows_are_told_by_their_primary_key) {
    const Words both = {row("shop.products", {"1"}), row("shop.products", {"2"})};
    auto words = words_of({insert(1, {"=1", "=a"}), insert(1, {"=2", "n"}), insert(1, {"=1", "=b"})});
    EXPECT_EQ(std::set(words.begin(), words.end()), std::set(both.begin(), both.end()));
    EXPECT_EQ(words_of({update(1, {"=7", "u"})}), (Words{row("shop.products", {"7"})}));
    EXPECT_EQ(words_of({remove(1, 'K', {"=7", "n"})}), (Words{row("shop.products", {"7"})}));
    EXPECT_EQ(words_of({insert(6, {"=t"})}), (Words{row("shop.flags", {"true"})})) << "as ::text writes it";
}

TEST_F(AssemblerTest, a_key_that_changed_is_told_twice) {
    const auto words = words_of({update(1, 'K', {"=7", "n"}, {"=8", "=x"})});
    EXPECT_EQ(std::set(words.begin(), words.end()), (std::set{row("shop.products", {"7"}), row("shop.products", {"8"})}));
}

TEST_F(AssemblerTest, what_cannot_be_told_by_key_is_told_of_the_table) {
    EXPECT_EQ(words_of({insert(2, {"=1"})}), (Words{"shop.no%20key"}));
    EXPECT_EQ(words_of({truncate({1, 2})}), (Words{"shop.no%20key", "shop.products"}));
    EXPECT_EQ(words_of({insert(4, {"=2026-11-26 00:00:00+00"})}), (Words{"shop.seen"})) << "has more than one spelling";
    EXPECT_EQ(words_of({update(5, {"=1", "=2"})}), (Words{"shop.by_index"})) << "the old key is not sent";
    EXPECT_EQ(words_of({update(1, {"u", "=a"})}), (Words{"shop.products"})) << "a toasted key";
}

TEST_F(AssemblerTest, parents_are_told_too) {
    const std::vector<std::string> key = {"9", "5"};  // in key order, which is not the columns' order
    const auto words = words_of({insert(3, {"=5", "=9"})});
    EXPECT_EQ(std::set(words.begin(), words.end()),
              (std::set{row("inside.part", key), row("shop.whole", key), std::string("shop.odd")}));
    EXPECT_EQ(words_of({truncate({3})}), (Words{"inside.part", "shop.odd", "shop.whole"}));
}

TEST_F(AssemblerTest, many_rows_are_told_as_one_table) {
    std::vector<std::string> changes;
    for (int i = 0; i < 64; ++i) changes.push_back(insert(1, {"=" + std::to_string(i), "n"}));
    EXPECT_EQ(words_of(changes).size(), 64U);
    for (int i = 64; i < 5'000; ++i) changes.push_back(insert(1, {"=" + std::to_string(i), "n"}));
    EXPECT_EQ(words_of(changes), (Words{"shop.products"}));
}

TEST_F(AssemblerTest, a_transaction_that_touched_nothing_has_no_words) { EXPECT_EQ(words_of({}), Words{}); }

TEST_F(AssemblerTest, what_does_not_follow_is_refused) {
    EXPECT_FALSE(take(insert(1, {"=1", "n"}))) << "outside of a transaction";
    EXPECT_FALSE(take(commit(1, 2)));
    EXPECT_FALSE(take(begin(0)));
    EXPECT_TRUE(take(begin(8)));
    EXPECT_FALSE(take(begin(9))) << "inside of another";
    EXPECT_FALSE(take(insert(99, {"=1"}))) << "an unknown table";
    EXPECT_FALSE(take(truncate({1, 99})));
    EXPECT_FALSE(take(insert(1, {"=1"}))) << "another number of columns";
    EXPECT_FALSE(take(commit(20, 10))) << "it ends before it commits";
}

TEST_F(AssemblerTest, a_table_that_was_altered_is_learned_anew) {
    learn(relation(1, "shop", "renamed", 'd', {{"code", text_type}}), {{}, {"code"}});
    EXPECT_EQ(words_of({insert(1, {"=x"})}), (Words{row("shop.renamed", {"x"})}));
}

TEST(WholeXid, is_the_nearest_one) {
    constexpr fence::Xid epoch = fence::Xid{1} << 32;
    struct Case {
        std::uint32_t xid;
        fence::Xid near, whole;
    };
    const Case cases[] = {{730, 735, 730},
                          {740, 735, 740},
                          {5, epoch - 3, epoch + 5},
                          {0xFFFFFFF0, epoch + 4, epoch - 16},
                          {0xFFFFFFF0, 3 * epoch + 4, 3 * epoch - 16},
                          {3, 7 * epoch + 0x7FFFFFFF, 7 * epoch + 3},
                          {3, 7 * epoch + 0x80000004, 8 * epoch + 3}};
    for (const Case& c : cases) EXPECT_EQ(whole_xid(c.xid, c.near), c.whole) << c.xid << " near " << c.near;
}

}  // namespace millrace::replication
