// A body in chunks, as a service gets it.
#include <gtest/gtest.h>

#include <millrace/core/framing.hpp>
#include <millrace/core/upstream.hpp>

namespace millrace::upstream {
namespace {

std::string chunk(std::string piece, bool last) {
    const std::string before = make_chunk(piece, last);
    return before + piece;
}

}  // namespace

TEST(UpstreamBody, is_put_in_chunks) {
    EXPECT_EQ(chunk("hello", false), "5\r\nhello\r\n");
    EXPECT_EQ(chunk("hello", true), "5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(chunk(std::string(65536, 'x'), false).substr(0, 7), "10000\r\n");
}

TEST(UpstreamBody, does_not_end_by_a_piece_without_bytes) {
    EXPECT_EQ(chunk("", false), "");
    EXPECT_EQ(chunk("", true), "0\r\n\r\n");
}

TEST(UpstreamBody, is_read_again_as_it_was) {
    std::string sent, body, read;
    for (std::size_t size = 0; size < 300; ++size) {
        const std::string piece(size, static_cast<char>('a' + size % 26));
        body += piece;
        sent += chunk(piece, size == 299);
    }
    framing::ChunkDecoder decoder({}, body.size());
    const auto used = decoder.feed(sent, read);
    ASSERT_TRUE(used);
    EXPECT_EQ(*used, sent.size());
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(read, body);
}

TEST(UploadDeadline, moves_on_with_the_bytes_that_come) {
    using namespace std::chrono_literals;
    const Deadline deadline{TimePoint(1h)};
    EXPECT_EQ(upload_deadline(deadline, 0, 1000).at, deadline.at);
    EXPECT_EQ(upload_deadline(deadline, 2500, 1000).at, deadline.at + 2500ms);
    EXPECT_EQ(upload_deadline(deadline, 2500, 0).at, deadline.at);
    EXPECT_EQ(upload_deadline({}, 2500, 1).at, TimePoint::max());
}

}  // namespace millrace::upstream
