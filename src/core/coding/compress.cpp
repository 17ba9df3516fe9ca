// Makes a body smaller in one pass, with everything decided beforehand: the whole body is there.
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "millrace/core/coding.hpp"

namespace millrace::coding {
namespace {

// Fills `out` up to its size; the number of bytes, or nothing when they are more than that.
std::optional<std::size_t> gzip(std::string_view body, std::string& out, int level) {
    constexpr int gzip_window = MAX_WBITS + 16, memory_level = 8;
    z_stream stream{};
    if (deflateInit2(&stream, level, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // zlib's own type is without const
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    const std::size_t written = stream.total_out;
    deflateEnd(&stream);
    return ended == Z_STREAM_END ? std::optional(written) : std::nullopt;
}

std::optional<std::size_t> zstd(std::string_view body, std::string& out, int level) {
    const std::size_t written = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), level);
    return ZSTD_isError(written) == 0 ? std::optional(written) : std::nullopt;
}

std::optional<std::size_t> brotli(std::string_view body, std::string& out, int level) {
    std::size_t written = out.size();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(body.data());
    const bool ended = BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, body.size(), bytes, &written,
                                             reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE;
    return ended ? std::optional(written) : std::nullopt;
}

std::optional<std::size_t> compress_into(std::string& out, Coding coding, std::string_view body, const Levels& levels) {
    switch (coding) {
        case Coding::identity:
            return std::nullopt;
        case Coding::gzip:
            return gzip(body, out, levels.gzip);
        case Coding::zstd:
            return zstd(body, out, levels.zstd);
        case Coding::br:
            return brotli(body, out, levels.br);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> compress(Coding coding, std::string_view body, const Levels& levels) {
    constexpr std::size_t body_bytes_max = UINT32_MAX;  // zlib counts so far in one go
    if (body.size() > body_bytes_max) return std::nullopt;
    std::string out(body.size() - body.size() / 8, '\0');  // what needs more room is not worth it
    const auto written = compress_into(out, coding, body, levels);
    if (!written) return std::nullopt;
    out.resize(*written);
    out.shrink_to_fit();
    return out;
}

}  // namespace millrace::coding
