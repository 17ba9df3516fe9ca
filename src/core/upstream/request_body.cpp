// The body of a request as a service gets it, when nobody knows its length beforehand.
#include <array>
#include <charconv>

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

}  // namespace millrace::upstream
