// Accept-Encoding and the codings.
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <brotli/decode.h>

#include "millrace/core/coding.hpp"

namespace millrace::coding {
namespace {

constexpr std::array offered = {Coding::identity, Coding::gzip, Coding::zstd, Coding::br};

TEST(AcceptEncoding, chooses_what_the_client_weighs_most_and_the_best_of_equals) {
    const struct {
        std::string_view field;
        Coding chosen;
    } cases[] = {
        {"", Coding::identity},
        {"gzip", Coding::gzip},
        {"GZIP", Coding::gzip},
        {"x-gzip", Coding::gzip},
        {"gzip, deflate, br", Coding::br},
        {"gzip, zstd", Coding::zstd},
        {"br;q=0.5, gzip;q=0.8", Coding::gzip},
        {"br ; q=0.5 , gzip ; q=0.4", Coding::br},
        {"identity, gzip;q=0.5", Coding::identity},
        {"identity;q=0.4, gzip;q=0.5", Coding::gzip},
        {"*", Coding::br},
        {"*;q=0.1, gzip", Coding::gzip},
        {"*;q=0, gzip", Coding::gzip},
        {"br;q=0, *", Coding::zstd},
        {"gzip;q=0", Coding::identity},
        {"gzip;q=2", Coding::identity},
        {"gzip;q=", Coding::identity},
        {"deflate", Coding::identity},
        {",,gzip,,", Coding::gzip},
        {"gzip;q=0.001", Coding::gzip},
    };
    for (const auto& [field, chosen] : cases) EXPECT_EQ(name(Accepted(field).choose(offered)), name(chosen)) << field;
}

TEST(AcceptEncoding, tells_whether_identity_may_be_sent) {
    EXPECT_TRUE(Accepted("").takes(Coding::identity));
    EXPECT_TRUE(Accepted("gzip").takes(Coding::identity));
    EXPECT_FALSE(Accepted("gzip, identity;q=0").takes(Coding::identity));
    EXPECT_FALSE(Accepted("gzip, *;q=0").takes(Coding::identity));
    EXPECT_TRUE(Accepted("gzip, *;q=0, identity;q=0.1").takes(Coding::identity));
    EXPECT_FALSE(Accepted("").takes(Coding::gzip));
}

TEST(AcceptEncoding, chooses_only_what_there_is) {
    constexpr std::array few = {Coding::identity, Coding::gzip};
    EXPECT_EQ(Accepted("br, gzip;q=0.1").choose(few), Coding::gzip);
    EXPECT_EQ(Accepted("br").choose(few), Coding::identity);
}

std::string rows() {
    std::string body = "[";
    for (int i = 0; i < 200; ++i)
        body += R"({"id":)" + std::to_string(i) + R"(,"name":"lamp )" + std::to_string(i * 7) + "\"},";
    return body += "]";
}

std::string gunzip(const std::string& bytes, std::size_t size) {
    std::string out(size, '\0');
    z_stream stream{};
    inflateInit2(&stream, MAX_WBITS + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    return out;
}

TEST(Compress, gives_what_each_coding_s_own_library_reads) {
    const std::string body = rows();
    const auto gzipped = compress(Coding::gzip, body, {}), zstd = compress(Coding::zstd, body, {}),
               br = compress(Coding::br, body, {});
    ASSERT_TRUE(gzipped && zstd && br);
    EXPECT_EQ(gunzip(*gzipped, body.size()), body);

    std::string out(body.size(), '\0');
    EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), zstd->data(), zstd->size()), body.size());
    EXPECT_EQ(out, body);

    std::string other(body.size(), '\0');
    std::size_t size = other.size();
    EXPECT_EQ(BrotliDecoderDecompress(br->size(), reinterpret_cast<const std::uint8_t*>(br->data()), &size,
                                      reinterpret_cast<std::uint8_t*>(other.data())),
              BROTLI_DECODER_RESULT_SUCCESS);
    EXPECT_EQ(other, body);
}

TEST(Compress, gives_the_same_bytes_for_the_same_body) {
    for (const Coding coding : {Coding::gzip, Coding::zstd, Coding::br})
        EXPECT_EQ(compress(coding, rows(), {}), compress(coding, rows(), {}));
}

TEST(Compress, leaves_alone_what_would_not_become_smaller) {
    std::string noise;
    for (std::uint64_t x = 88172645463325252ULL; noise.size() < 4000;) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        noise += static_cast<char>(x >> 32);
    }
    for (const Coding coding : all_codings) {
        EXPECT_EQ(compress(coding, noise, {}), std::nullopt);
        EXPECT_EQ(compress(coding, "", {}), std::nullopt);
    }
}

}  // namespace
}  // namespace millrace::coding
