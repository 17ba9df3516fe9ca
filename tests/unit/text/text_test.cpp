// The shared text rules, mostly as tables.
#include <gtest/gtest.h>

#include <set>

#include "millrace/core/text.hpp"

namespace millrace::text {

TEST(Text, percent_decoding_refuses_broken_escapes) {
    EXPECT_EQ(percent_decode("a%20b"), "a b");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
    EXPECT_EQ(percent_decode("%zz"), std::nullopt);
    EXPECT_EQ(percent_decode("abc%2"), std::nullopt);
    EXPECT_EQ(percent_decode("%"), std::nullopt);
}

TEST(Text, json_strings_are_escaped_as_rfc_8259_says) {
    std::string out;
    append_json_string(out, "a\"b\\c\n\x01é");
    EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001é\"");
}

TEST(Text, json_strings_are_escaped_wherever_the_byte_stands) {
    for (std::size_t length = 1; length < 20; ++length)
        for (std::size_t at = 0; at < length; ++at)
            for (const char c : {'"', '\\', '\n', '\x1f', '\0'}) {
                std::string in(length, 'x'), out;
                in[at] = c;
                append_json_string(out, in);
                const bool is_short = c == '"' || c == '\\' || c == '\n';
                EXPECT_EQ(out.size(), length + 2 + (is_short ? 1U : 5U)) << length << ' ' << at;
                EXPECT_EQ(out[at + 1], '\\') << length << ' ' << at;
            }
    for (const char* clean : {"\x7f\x80\xff!#[]~ abcdefgh", "éé€€😀😀 0123456789"}) {
        std::string out;
        append_json_string(out, clean);
        EXPECT_EQ(out, '"' + std::string(clean) + '"');
    }
}

TEST(Text, utf8_refuses_overlong_forms_and_surrogates) {
    EXPECT_TRUE(valid_utf8("é€😀"));
    for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3"})
        EXPECT_FALSE(valid_utf8(bad));
}

TEST(Text, identifiers_and_literals_are_quoted) {
    EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(quote_literal("a\\b"), "E'a\\\\b'");
}

TEST(Text, closest_suggests_near_words_only) {
    const std::vector<std::string> names{"products", "orders", "customers"};
    EXPECT_EQ(closest("produts", names), "products");
    EXPECT_EQ(closest("Orders", names), "orders");
    EXPECT_EQ(closest("xyz", names), std::nullopt);
}

TEST(Text, integers_are_whole_and_in_range) {
    EXPECT_EQ(to_int("42"), 42);
    EXPECT_EQ(to_int("-1"), -1);
    EXPECT_EQ(to_int(""), std::nullopt);
    EXPECT_EQ(to_int("4x"), std::nullopt);
    EXPECT_EQ(to_int("99999999999999999999"), std::nullopt);
}

TEST(Text, bytes_become_two_digits_each) {
    EXPECT_EQ(hex(bytes_of(std::string_view("\x00\x0f\xa0\xff", 4))), "000fa0ff");
    std::string out = "\\x";
    append_hex(out, bytes_of("mill"));
    EXPECT_EQ(out, "\\x6d696c6c");
    EXPECT_EQ(hex({}), "");
}

TEST(Text, hash_tells_lengths_tails_and_seeds_apart) {
    std::set<std::uint64_t> seen;
    std::string zeros;
    for (int length = 0; length < 64; ++length) {
        seen.insert(hash64(zeros));
        seen.insert(hash64(zeros, 1));
        zeros += '\0';
    }
    EXPECT_EQ(seen.size(), 128U);
    EXPECT_EQ(hash64("millrace"), hash64(std::string("mill") + "race"));
}

}  // namespace millrace::text
