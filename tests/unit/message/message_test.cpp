// Header blocks, dates and entity tags.
#include <gtest/gtest.h>

#include "millrace/core/message.hpp"

namespace millrace::message {

TEST(HeaderBlock, finds_and_replaces_lines_without_case) {
    HeaderBlock block;
    block.add("Content-Type", "application/json");
    block.add("Vary", "Accept");
    block.add("Vary", "Authorization");
    EXPECT_EQ(block.get("content-type"), "application/json");
    EXPECT_EQ(block.get("vary"), "Accept");
    block.set("VARY", "*");
    EXPECT_EQ(block.get("vary"), "*");
    EXPECT_EQ(block.lines(), "Content-Type: application/json\r\nVARY: *\r\n");
    EXPECT_EQ(block.get("Content"), "");
}

TEST(HeaderBlock, a_value_cannot_start_a_new_line) {
    HeaderBlock block;
    block.add("X-Name", "a\r\nSet-Cookie: b");
    EXPECT_EQ(block.lines(), "X-Name: aSet-Cookie: b\r\n");
}

TEST(HttpDate, prints_and_reads_the_three_forms) {
    const WallTime when{std::chrono::seconds{784111777}};
    EXPECT_EQ(http_date(when), "Sun, 06 Nov 1994 08:49:37 GMT");
    for (const char* form : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
        EXPECT_EQ(parse_http_date(form), when) << form;
}

TEST(HttpDate, refuses_what_is_no_date) {
    for (const char* bad :
         {"", "x", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
          "Sun, 0x Nov 1994 08:49:37 GMT", ", GMT", "Sun, 06 Nov 1994 08-49-37 GMT"})
        EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
}

TEST(EntityTag, is_found_in_lists) {
    struct Case {
        const char* header;
        bool weakly, strongly;
    };
    for (const Case& c : {Case{"\"a\"", true, true}, Case{"W/\"a\"", true, false}, Case{"\"b\", \"a\"", true, true},
                          Case{"\"b\",\"a\"", true, true}, Case{"\"b\"", false, false}, Case{"a", false, false},
                          Case{"\"x,y\" , W/\"a\"", true, false}, Case{"W/\"a\", \"a\"", true, true}, Case{"\"", false, false},
                          Case{"", false, false}, Case{"\"a-gzip\"", true, true}, Case{"\"a-deflate\"", false, false},
                          Case{"\"a.5\"", true, true}, Case{"w/\"a\"", false, false}, Case{"\"\"", false, false}}) {
        EXPECT_EQ(find_tag(c.header, "\"a\"", Comparison::weak).has_value(), c.weakly) << c.header;
        EXPECT_EQ(find_tag(c.header, "\"a\"", Comparison::strong).has_value(), c.strongly) << c.header;
    }
    EXPECT_FALSE(find_tag("\"a\"", "", Comparison::weak));
    EXPECT_FALSE(find_tag("\"a\"", "W/\"a\"", Comparison::strong));
}

TEST(EntityTag, has_a_total_where_the_answer_has_one) {
    EXPECT_TRUE(find_tag("\"1f-a0.250\"", "\"1f-a0.250\"", Comparison::weak));
    EXPECT_TRUE(find_tag("\"1f-a0.250-br\"", "\"1f-a0.250\"", Comparison::weak));
    EXPECT_FALSE(find_tag("\"1f-a0.250\"", "\"1f-a0.251\"", Comparison::weak));
    EXPECT_TRUE(find_tag("\"1f-a0.249\", \"1f-a0.250\"", "\"1f-a0.250\"", Comparison::weak));
}

TEST(EntityTag, is_that_of_the_plain_body_with_the_coding_s_name) {
    EXPECT_EQ(tag_in("\"1f-a0.250\"", coding::Coding::gzip), "\"1f-a0.250-gzip\"");
    EXPECT_EQ(tag_in("\"1f-a0-gzip\"", coding::Coding::zstd), "\"1f-a0-zstd\"");
    EXPECT_EQ(tag_in("\"1f-a0-br\"", coding::Coding::identity), "\"1f-a0\"");
    EXPECT_EQ(find_tag("W/\"1f-a0-zstd\"", "\"1f-a0\"", Comparison::weak)->coding, coding::Coding::zstd);
}

}  // namespace millrace::message
