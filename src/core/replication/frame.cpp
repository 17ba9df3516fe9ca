// Reads the frames of the copy stream, and writes the one that answers them.
#include <charconv>

#include "bytes.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

void append_number(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

}  // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
    std::uint32_t high = 0, low = 0;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, high, 16);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '/') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, low, 16);
    if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
    return static_cast<Lsn>(high) << 32 | low;
}

std::optional<Frame> read_frame(std::string_view bytes) {
    Bytes in(bytes);
    const auto kind = in.number<char>();
    if (kind == 'w') {
        LogData data;
        data.start = in.number<Lsn>();
        in.take(8 + 8);  // the end of the log there, and its clock
        data.message = in.take(in.left());
        return in.good() ? std::optional<Frame>(data) : std::nullopt;
    }
    if (kind != 'k') return std::nullopt;
    Keepalive alive;
    alive.end = in.number<Lsn>();
    in.take(8);
    alive.wants_reply = in.number<char>() != 0;
    return in.used_up() ? std::optional<Frame>(alive) : std::nullopt;
}

// Written, flushed and applied are the same to us; the clock is only shown in pg_stat_replication.
std::string status_update(Lsn confirmed) {
    std::string out = "r";
    for (int i = 0; i < 3; ++i) append_number(out, confirmed);
    append_number(out, 0);
    return out += '\0';
}

}  // namespace millrace::replication
