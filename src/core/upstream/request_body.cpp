// The body of a request that goes on to a service as it comes: how it is framed when nobody knows its length beforehand, and
// how long it may take.
#include <array>
#include <charconv>
#include <chrono>

#include "millrace/core/upstream.hpp"

namespace millrace::upstream {

std::string make_chunk(std::string& piece, bool last) {
    constexpr std::string_view end = "0\r\n\r\n";
    std::string before;
    if (!piece.empty()) {
        std::array<char, 16> digits{};
        const auto stop = std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
        before.assign(digits.data(), stop);
        before += "\r\n";
        piece += "\r\n";
    }
    if (last) piece += end;
    return before;
}

Deadline upload_deadline(Deadline deadline, std::uint64_t bytes, std::uint64_t bytes_per_s_min) {
    if (bytes_per_s_min == 0 || deadline.at == TimePoint::max()) return deadline;
    const std::chrono::duration<double> longer(static_cast<double>(bytes) / static_cast<double>(bytes_per_s_min));
    return {deadline.at + std::chrono::duration_cast<Duration>(longer)};
}

}  // namespace millrace::upstream
