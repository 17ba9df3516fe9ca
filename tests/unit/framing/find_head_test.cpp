// Finding the end of a head in bytes that arrive in any pieces, in linear time, with early refusal.
#include <gtest/gtest.h>

#include <millrace/core/framing.hpp>

namespace millrace::framing {
namespace {

const std::string head = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nX: tab\there\r\n\r\n";

}  // namespace

TEST(FindHead, finds_the_same_end_however_the_bytes_arrive) {
    const std::string stream = head + "GET /next HTTP/1.1\r\n";
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        std::size_t scanned = 0;
        for (std::size_t seen = std::min(step, stream.size());; seen = std::min(seen + step, stream.size())) {
            const auto found = find_head(std::string_view(stream).substr(0, seen), {}, scanned);
            ASSERT_TRUE(found.has_value()) << step;
            EXPECT_EQ(found->has_value(), seen >= head.size()) << step << ' ' << seen;
            if (!*found) continue;
            EXPECT_EQ(**found, head.size());
            break;
        }
    }
}

TEST(FindHead, looks_at_each_byte_once) {
    const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(10'000, 'a');
    std::size_t scanned = 0;
    for (std::size_t seen = 1; seen < endless.size(); ++seen) {
        ASSERT_TRUE(find_head(std::string_view(endless).substr(0, seen), {}, scanned).has_value());
        EXPECT_GE(scanned + 1, seen);
    }
}

TEST(FindHead, refuses_as_soon_as_no_head_can_follow) {
    for (const std::string start : {"\n", " ", "\r\r", "\r\n\n", "\r\n\r\n\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\rX",
                                    "G\x01", "GET /\xC3", "\x16\x03", "GET / HTTP/1.1\r\nX: a\nY"}) {
        std::size_t scanned = 0;
        const auto found = find_head(start, {}, scanned);
        ASSERT_FALSE(found.has_value()) << start;
        EXPECT_EQ(found.error().fault, Fault::bad_framing);
    }
}

TEST(FindHead, waits_while_a_head_may_follow) {
    for (const std::string start :
         {"", "\r", "\r\n", "\r\n\r\n", "G", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n\r"}) {
        std::size_t scanned = 0;
        const auto found = find_head(start, {}, scanned);
        ASSERT_TRUE(found.has_value()) << start;
        EXPECT_FALSE(found->has_value()) << start;
    }
}

TEST(FindHead, refuses_a_head_that_does_not_end_within_its_limit) {
    const Limits limits{.head_bytes_max = 64};
    const auto fault = [&](const std::string& buffer) {
        std::size_t scanned = 0;
        const auto found = find_head(buffer, limits, scanned);
        return found ? std::nullopt : std::optional(found.error().fault);
    };
    const std::string open = "GET / HTTP/1.1\r\nX: ";
    EXPECT_EQ(fault(open + std::string(63 - open.size(), 'a')), std::nullopt);
    EXPECT_EQ(fault(open + std::string(64 - open.size(), 'a')), Fault::head_too_large);
    EXPECT_EQ(fault("GET /" + std::string(59, 'a')), Fault::target_too_long);
    EXPECT_EQ(fault(open + std::string(60 - open.size(), 'a') + "\r\n\r\n" + std::string(1000, 'b')), std::nullopt);
    EXPECT_EQ(fault(open + std::string(61 - open.size(), 'a') + "\r\n\r\n"), Fault::head_too_large);
}

TEST(FindHead, finds_special_bytes_at_every_place_of_a_word) {
    for (int offset = 0; offset < 20; ++offset)
        for (int c = 0; c < 256; ++c) {
            const bool allowed = c == '\t' || (c >= 0x20 && c < 0x7F);
            std::string buffer = "GET / HTTP/1.1\r\nX: " + std::string(static_cast<std::size_t>(offset), 'a');
            buffer += static_cast<char>(c);
            buffer += "bbbbbbbbbbbbbbbb";
            std::size_t scanned = 0;
            EXPECT_EQ(find_head(buffer, {}, scanned).has_value(), allowed) << c << " at " << offset;
        }
}

}  // namespace millrace::framing
