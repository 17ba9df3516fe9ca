// The form of entries in Redis: what was written is read back, and anything else is nothing.
#include <gtest/gtest.h>

#include <random>

#include "millrace/core/cache.hpp"

namespace millrace::cache {
namespace {

using namespace fence;

Entry example() {
    Entry entry;
    entry.status = 206;
    entry.header_lines = "Content-Type: application/json\r\nContent-Range: 0-9/*\r\n";
    entry.body = std::make_shared<const std::string>("[{\"id\":1,\"name\":\"caf\u00e9\"}]");
    entry.etag = "\"abc\"";
    entry.tags = {"api.items", "api.orders#17"};
    entry.snapshot = PgSnapshot{10, 20, {11, 15}};
    entry.stored = WallTime(std::chrono::milliseconds(1'790'000'000'123));
    entry.fresh_for = std::chrono::seconds(60);
    return entry;
}

}  // namespace

TEST(Codec, what_was_encoded_is_decoded) {
    const Entry in = example();
    const auto out = decode(encode(in, "key"), "key");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->status, in.status);
    EXPECT_EQ(out->header_lines, in.header_lines);
    EXPECT_EQ(*out->body, *in.body);
    EXPECT_EQ(out->etag, in.etag);
    EXPECT_EQ(out->tags, in.tags);
    EXPECT_EQ(out->snapshot.to_string(), in.snapshot.to_string());
    EXPECT_EQ(out->stored, in.stored);
    EXPECT_EQ(out->fresh_for, in.fresh_for);
}

TEST(Codec, an_empty_entry_has_an_empty_body) {
    const auto out = decode(encode(Entry{}, ""), "");
    ASSERT_TRUE(out);
    EXPECT_EQ(*out->body, "");
}

TEST(Codec, an_entry_of_another_key_is_refused) { EXPECT_FALSE(decode(encode(example(), "anonymous"), "admin")); }

TEST(Codec, every_truncation_and_every_flipped_bit_is_noticed) {
    const std::string good = encode(example(), "key");
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode(std::string_view(good).substr(0, size), "key"));
    EXPECT_FALSE(decode(good + '\0', "key"));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        EXPECT_FALSE(decode(bad, "key")) << "bit " << bit;
    }
}

TEST(Codec, headers_that_would_break_the_response_are_refused) {
    for (const std::string& lines :
         {std::string("A: b"), std::string("A: b\n"), std::string("\r\n"), std::string("A: b\r\n\r\nC: d\r\n"),
          std::string("A: b\rC: d\r\n"), std::string("A: b\0\r\n", 7), std::string("A: b\r\nContent-length: 5\r\n")}) {
        Entry entry = example();
        entry.header_lines = lines;
        EXPECT_FALSE(decode(encode(entry, ""), "")) << lines;
    }
    Entry entry = example();
    entry.etag = "\"a\r\nb\"";
    EXPECT_FALSE(decode(encode(entry, ""), ""));
}

TEST(Codec, moments_and_snapshots_out_of_bounds_are_refused) {
    Entry entry = example();
    entry.snapshot = PgSnapshot{20, 10, {}};
    EXPECT_FALSE(decode(encode(entry, ""), ""));
    entry.snapshot = PgSnapshot{10, 20, {15, 12}};
    EXPECT_FALSE(decode(encode(entry, ""), ""));
    entry = example();
    entry.stored = WallTime(std::chrono::hours(-1));
    EXPECT_FALSE(decode(encode(entry, ""), ""));
    entry = example();
    entry.status = 100;
    EXPECT_FALSE(decode(encode(entry, ""), ""));
}

TEST(Key, differs_when_any_part_differs) {
    const KeyParts base{"v1", "public", "products", "select=id", "json", "0-9", "anon", "{}", 7};
    std::vector<KeyParts> others(9, base);
    others[0].version = "v2";
    others[1].resource = "orders";
    others[2].query = "select=name";
    others[3].media = "csv";
    others[4].range = "";
    others[5].role = "admin";
    others[6].claims = "{\"sub\":1}";
    others[7].deployment = 8;
    others[8].schema = "other";
    for (const KeyParts& other : others) EXPECT_NE(make_key(base), make_key(other));
    EXPECT_EQ(make_key(base), make_key(KeyParts(base)));
}

TEST(Key, parts_cannot_run_into_each_other) {
    EXPECT_NE(make_key({"v1", "", "a", "b", "", "", "", "", 0}), make_key({"v1", "", "ab", "", "", "", "", "", 0}));
    EXPECT_NE(make_key({"v1", "", "", "1:x,0:", "", "", "", "", 0}), make_key({"v1", "", "", "1:x", "", "", "", "", 0}));
}

TEST(Key, a_long_one_is_replaced_by_its_sha256) {
    const std::string long_query(5'000, 'x');
    const std::string key = make_key({"v1", "public", "products", long_query, "", "", "anon", "", 7});
    EXPECT_EQ(key.size(), 7U + 64U);
    EXPECT_NE(key, make_key({"v1", "public", "products", long_query + "x", "", "", "anon", "", 7}));
}

}  // namespace millrace::cache
