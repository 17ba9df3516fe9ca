// The classes of bytes that HTTP's grammar is made of, and a fast way over the bytes that are plain text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::framing {

inline constexpr std::array<bool, 256> make_class(std::string_view punctuation) {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
    for (char c : punctuation) table[static_cast<unsigned char>(c)] = true;
    return table;
}

inline constexpr auto tchar_table = make_class("!#$%&'*+-.^_`|~");        // RFC 9110 §5.6.2
inline constexpr auto reg_name_table = make_class("-._~!$&'()*+;=");      // RFC 3986 §3.2.2, without the comma
inline constexpr auto ipv_future_table = make_class("-._~!$&'()*+,;=:");  // RFC 3986 §3.2.2

[[nodiscard]] inline bool is_tchar(char c) { return tchar_table[static_cast<unsigned char>(c)]; }
[[nodiscard]] inline bool is_visible(char c) { return c > 0x20 && c < 0x7F; }
[[nodiscard]] inline bool is_plain(char c) { return c >= 0x20 && c < 0x7F; }
[[nodiscard]] inline bool is_space(char c) { return c == ' ' || c == '\t'; }
[[nodiscard]] inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] inline int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The first byte at or after `from` that is neither space nor visible ASCII, or the end. Eight bytes at a time: a head is read
// for every request, and nearly all of it is plain.
[[nodiscard]] inline std::size_t skip_plain(std::string_view s, std::size_t from) {
    constexpr std::uint64_t ones = 0x0101010101010101U, high = ones * 0x80;
    for (; from + 8 <= s.size(); from += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, s.data() + from, 8);
        const std::uint64_t del = word ^ (ones * 0x7F);
        const std::uint64_t below_space = (word - ones * 0x20) & ~word;
        if (((word | below_space | ((del - ones) & ~del)) & high) != 0) break;
    }
    while (from < s.size() && is_plain(s[from])) ++from;
    return from;
}

}  // namespace millrace::framing
