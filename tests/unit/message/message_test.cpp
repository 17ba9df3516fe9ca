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

TEST(HeaderBlock, what_frames_the_message_is_left_out) {
    HeaderBlock block;
    for (const char* name :
         {"Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "DATE", "Trailer", "Upgrade", "X-Request-Id"}) {
        block.add(name, "1");
        block.set(name, "1");
    }
    block.add("Data", "kept");
    EXPECT_EQ(block.lines(), "Data: kept\r\n");
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

TEST(EntityTag, matches_weakly_in_lists) {
    struct Case {
        const char* header;
        bool matches;
    };
    for (const Case& c :
         {Case{"\"a\"", true}, Case{"W/\"a\"", true}, Case{"\"b\", \"a\"", true}, Case{"*", true}, Case{"\"b\"", false},
          Case{"a", false}, Case{"\"x,y\" , W/\"a\"", true}, Case{"\"", false}, Case{"", false}})
        EXPECT_EQ(etag_matches(c.header, "\"a\""), c.matches) << c.header;
}

}  // namespace millrace::message
