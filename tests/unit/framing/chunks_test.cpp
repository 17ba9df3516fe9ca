// The chunked coding, in any pieces, and every way of writing it that is refused.
#include <gtest/gtest.h>

#include <millrace/core/framing.hpp>

namespace millrace::framing {
namespace {

struct Decoded {
    std::string body;
    std::size_t used = 0;
    bool done = false;
    std::optional<Fault> fault;
};

Decoded decode(std::string_view input, std::size_t step, std::uint64_t body_bytes_max = 1000, const Limits& limits = {}) {
    ChunkDecoder decoder(limits, body_bytes_max);
    Decoded out;
    while (out.used < input.size() && !decoder.done()) {
        const std::string_view piece = input.substr(out.used, step);
        auto used = decoder.feed(piece, out.body);
        if (!used) {
            out.fault = used.error().fault;
            return out;
        }
        out.used += *used;
    }
    out.done = decoder.done();
    return out;
}

}  // namespace

TEST(ChunkDecoder, decodes_in_pieces_of_any_size) {
    const std::string stream =
        "5\r\nhello\r\n1;a=b\r\n \r\n00A ;x=\"y z\";t\r\n0123456789\r\n0;end\r\nTrailer: x\ty\r\nEmpty:\r\n\r\nGET / "
        "HTTP/1.1\r\n";
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        const Decoded out = decode(stream, step);
        EXPECT_EQ(out.body, "hello 0123456789") << step;
        EXPECT_TRUE(out.done);
        EXPECT_EQ(stream.substr(out.used), "GET / HTTP/1.1\r\n");
    }
    EXPECT_TRUE(decode("0\r\n\r\n", 100).done);
    EXPECT_TRUE(decode("000000000000000\r\n\r\n", 100).done);
}

TEST(ChunkDecoder, is_not_done_before_the_last_line) {
    const std::string stream = "3\r\nabc\r\n0\r\nT: v\r\n\r\n";
    for (std::size_t length = 0; length < stream.size(); ++length) {
        const Decoded out = decode(std::string_view(stream).substr(0, length), 100);
        EXPECT_FALSE(out.done) << length;
        EXPECT_FALSE(out.fault) << length;
    }
}

TEST(ChunkDecoder, refuses_what_two_readers_could_take_apart) {
    const std::vector<std::string> table = {
        "\r\n",
        "x\r\n",
        " 1\r\na\r\n",
        "1\na\r\n",
        "1\r\r\n",
        "1\ra",
        "+1\r\na",
        "-1\r\n",
        "0x1\r\na",
        "1 \r\na\r\n",
        "1\t\r\na\r\n",
        "1 x\r\n",
        "1x\r\n",
        "1,1\r\n",
        "1;a\nb\r\n",
        "1;a\rb",
        "1;\x01\r\n",
        "1;\x7F\r\n",
        "1;\xC3\xA9\r\n",
        "3\r\nabcd\r\n",
        "3\r\nabc\n",
        "3\r\nabc\rx",
        "3\r\nabc0\r\n",
        ";a\r\n",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\nT\r\n\r\n",
        "0\r\n: v\r\n",
        "0\r\nT : v\r\n",
        "0\r\n T: v\r\n",
        "0\r\nT: a\nU",
        "0\r\nT: a\rb",
        "0\r\nT: \x01\r\n",
        "0\r\nT: \x80\r\n",
        "0\r\nT: a\r\n b\r\n",
        "0000000000000001\r\na",
        "FFFFFFFFFFFFFFFFF\r\n",
        "8000000000000000\r\n",
    };
    for (const std::string& input : table)
        for (std::size_t step : {std::size_t{1}, std::size_t{100}})
            EXPECT_EQ(decode(input, step).fault, Fault::bad_framing) << input;
}

TEST(ChunkDecoder, refuses_a_body_over_its_limit_by_its_announced_size) {
    EXPECT_EQ(decode("5\r\nhello\r\n0\r\n\r\n", 100, 5).fault, std::nullopt);
    EXPECT_EQ(decode("6\r\n", 1, 5).fault, Fault::body_too_large);
    EXPECT_EQ(decode("3\r\nabc\r\n3\r\n", 1, 5).fault, Fault::body_too_large);
    EXPECT_EQ(decode("FFFFFFFFFFFFFFF\r\n", 1, 5).fault, Fault::body_too_large);
    EXPECT_EQ(decode("1\r\na", 1, 0).fault, Fault::body_too_large);
    EXPECT_TRUE(decode("0\r\n\r\n", 1, 0).done);
}

TEST(ChunkDecoder, bounds_extensions_and_trailers) {
    const Limits limits{.chunk_extension_bytes_max = 10, .trailer_bytes_max = 10};
    EXPECT_EQ(decode("1;" + std::string(9, 'a') + "\r\nx\r\n1;" + std::string(9, 'a') + "\r\n", 100, 9, limits).fault,
              std::nullopt);
    EXPECT_EQ(decode("1;" + std::string(10, 'a') + "\r\n", 100, 9, limits).fault, Fault::bad_framing);
    EXPECT_EQ(decode("0\r\nT:" + std::string(8, 'a') + "\r\n\r\n", 100, 9, limits).done, true);
    EXPECT_EQ(decode("0\r\nT:" + std::string(9, 'a') + "\r\n\r\n", 100, 9, limits).fault, Fault::head_too_large);
    EXPECT_EQ(decode("0\r\nT:aa\r\nU:aa\r\nV:aa\r\n\r\n", 100, 9, limits).fault, Fault::head_too_large);
}

}  // namespace millrace::framing
