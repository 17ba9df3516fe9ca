// Text rules that several modules share.
#include "millrace/core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace millrace::text {
namespace {

char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower_char(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr char hex_digits[] = "0123456789ABCDEF";

bool unreserved(char c) {  // RFC 3986 §2.3
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

std::string quoted(std::string_view s, char quote) {
    std::string out(1, quote);
    for (char c : s) {
        if (c == quote) out += quote;
        out += c;
    }
    return out += quote;
}

// Odd constants with as many ones as zeros, as wyhash (Wang Yi) chooses them.
constexpr std::uint64_t first_secret = 0xa0761d6478bd642fU;
constexpr std::uint64_t second_secret = 0xe7037ed1a0b428dbU;
constexpr std::uint64_t third_secret = 0x8ebc6af09c88c6e3U;

std::uint64_t read8(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// The two halves of the 128-bit product, folded: every bit of both factors reaches every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// RFC 8259 §7.
bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

// The same for eight bytes at once: a byte below n borrows into its highest bit when n is taken from each.
bool any_needs_escape(std::uint64_t eight) {
    constexpr std::uint64_t ones = 0x0101010101010101U, highest = 0x8080808080808080U;
    const auto below = [](std::uint64_t bytes, std::uint64_t n) { return (bytes - ones * n) & ~bytes & highest; };
    return (below(eight, 0x20) | below(eight ^ (ones * '"'), 1) | below(eight ^ (ones * '\\'), 1)) != 0;
}

// How many bytes at the front need no escape: they are copied at once.
std::size_t clean_length(std::string_view s) {
    std::size_t i = 0;
    while (i + 8 <= s.size() && !any_needs_escape(read8(s.data() + i))) i += 8;
    while (i < s.size() && !needs_escape(static_cast<unsigned char>(s[i]))) ++i;
    return i;
}

void append_escaped(std::string& out, unsigned char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += hex_digits[c >> 4];
            out += hex_digits[c & 15];
    }
}

// Levenshtein, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// Do they have two letters side by side in common? Borders count as letters.
bool shares_pair(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return false;
    if (a.front() == b.front() || a.back() == b.back()) return true;
    for (std::size_t i = 0; i + 1 < a.size(); ++i)
        if (b.find(a.substr(i, 2)) != std::string_view::npos) return true;
    return false;
}

// What counts when pairs are looked for: letters, digits, blanks and commas.
std::string without_signs(std::string_view s) {
    std::string out;
    for (const char c : s) {
        const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ',' || c == ' ';
        if (word || static_cast<unsigned char>(c) >= 0x80) out += c;
    }
    return out;
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::string lower(std::string_view s) {
    std::string out(s);
    std::ranges::transform(out, out.begin(), lower_char);
    return out;
}

std::string_view trim(std::string_view s) {
    const auto first = s.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = s.find(separator);
        parts.push_back(s.substr(0, at));
        if (at == std::string_view::npos) return parts;
        s.remove_prefix(at + 1);
    }
}

std::optional<std::int64_t> to_int(std::string_view s) {
    if (s.starts_with('+')) s.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return value;
}

std::optional<std::string> percent_decode(std::string_view s, bool plus_is_space) {
    std::string out;
    out.reserve(s.size());
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (s[i] != '%') {
            out += s[i];
        } else {
            if (i + 2 >= s.size()) return std::nullopt;
            const int high = hex_value(s[i + 1]), low = hex_value(s[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

std::string percent_encode(std::string_view s) {
    std::string out;
    for (char c : s) {
        if (unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
    }
    return out;
}

void append_json_string(std::string& out, std::string_view s) {
    out += '"';
    for (;;) {
        const std::size_t clean = clean_length(s);
        out.append(s.data(), clean);
        if (clean == s.size()) break;
        append_escaped(out, static_cast<unsigned char>(s[clean]));
        s.remove_prefix(clean + 1);
    }
    out += '"';
}

bool valid_utf8(std::string_view s) {
    const auto* p = reinterpret_cast<const unsigned char*>(s.data());
    const auto* end = p + s.size();
    while (p < end) {
        const unsigned c = *p++;
        if (c < 0x80) continue;
        const int more = c >= 0xC2 && c <= 0xDF ? 1 : c >= 0xE0 && c <= 0xEF ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : -1;
        if (more < 0 || end - p < more) return false;
        // Overlong forms, surrogates and values above U+10FFFF are told by the second byte (Unicode 15, table 3-7).
        const unsigned low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        const unsigned high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (*p < low || *p > high) return false;
        for (int i = 1; i < more; ++i)
            if ((p[i] & 0xC0) != 0x80) return false;
        p += more;
    }
    return true;
}

std::string quote_identifier(std::string_view name) { return quoted(name, '"'); }

std::string quote_literal(std::string_view value) {
    std::string out = quoted(value, '\'');
    if (value.find('\\') == std::string_view::npos) return out;
    std::string escaped = "E";
    for (char c : out) {
        if (c == '\\') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
    const std::string* best = nullptr;
    std::size_t best_distance = std::max<std::size_t>(word.size() / 2, 1) + 1;  // farther is another word
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(lower(word), lower(candidate));
        if (d < best_distance) {
            best_distance = d;
            best = &candidate;
        }
    }
    if (best == nullptr) return std::nullopt;
    return *best;
}

std::optional<std::string> most_similar(std::string_view word, std::span<const std::string> candidates, double least) {
    const std::string wanted = lower(word), pairs = without_signs(wanted);
    const std::string* best = nullptr;
    double best_likeness = 0;
    for (const std::string& candidate : candidates) {
        const std::string one = lower(candidate);
        if (!shares_pair(pairs, without_signs(one))) continue;
        const auto longest = static_cast<double>(std::max({wanted.size(), one.size(), std::size_t{1}}));
        const double likeness = 1 - static_cast<double>(distance(wanted, one)) / longest;
        if (likeness < least || likeness <= best_likeness) continue;
        best_likeness = likeness;
        best = &candidate;
    }
    if (best == nullptr) return std::nullopt;
    return *best;
}

std::uint64_t hash64(std::string_view s, std::uint64_t seed) {
    std::uint64_t h = seed ^ first_secret;
    const std::uint64_t length = s.size();
    for (; s.size() > 16; s.remove_prefix(16)) h = fold(read8(s.data()) ^ second_secret, read8(s.data() + 8) ^ h);
    std::array<char, 16> tail{};
    std::ranges::copy(s, tail.begin());
    h = fold(read8(tail.data()) ^ second_secret, read8(tail.data() + 8) ^ h);
    return fold(h ^ length, third_secret);
}

}  // namespace millrace::text
