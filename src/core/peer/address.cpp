// Reads and writes IP addresses, in the one form that each has.
#include <algorithm>
#include <charconv>
#include <iterator>

#include "millrace/core/peer.hpp"

namespace millrace::peer {
namespace {

constexpr std::array<unsigned char, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t groups_of_v6 = 8;

// A number of the alphabet of `base`, at most `digits` long, without sign.
std::optional<unsigned> number(std::string_view s, int base, std::size_t digits) {
    unsigned value = 0;
    if (s.empty() || s.size() > digits) return std::nullopt;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, base);
    if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return value;
}

std::string_view take_until(std::string_view& rest, char separator) {
    const std::string_view part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
}

// Four numbers without leading zeros: some read those as octal.
std::optional<Address::V4> parse_v4(std::string_view s) {
    if (std::ranges::count(s, '.') != 3) return std::nullopt;
    Address::V4 bytes{};
    for (unsigned char& byte : bytes) {
        const std::string_view part = take_until(s, '.');
        const auto value = number(part, 10, 3);
        if (!value || *value > 255 || (part.size() > 1 && part[0] == '0')) return std::nullopt;
        byte = static_cast<unsigned char>(*value);
    }
    return bytes;
}

struct Groups {
    std::array<unsigned, groups_of_v6> values{};
    std::size_t count = 0;

    bool add(unsigned value) {
        if (count == values.size()) return false;
        values[count++] = value;
        return true;
    }
};

// Groups between colons; the last may be an IPv4 address in place of two.
bool parse_groups(std::string_view s, bool v4_tail, Groups& groups) {
    if (s.empty()) return true;
    if (s.ends_with(':')) return false;
    while (!s.empty()) {
        const std::string_view part = take_until(s, ':');
        if (const auto value = number(part, 16, 4)) {
            if (!groups.add(*value)) return false;
            continue;
        }
        const auto tail = v4_tail && s.empty() ? parse_v4(part) : std::nullopt;
        if (!tail || !groups.add((*tail)[0] * 256U + (*tail)[1]) || !groups.add((*tail)[2] * 256U + (*tail)[3])) return false;
    }
    return true;
}

std::optional<Address> parse_v6(std::string_view s) {
    const std::size_t gap = s.find("::");
    const bool has_gap = gap != std::string_view::npos;
    Groups before, after;
    if (!parse_groups(s.substr(0, gap), !has_gap, before)) return std::nullopt;
    if (has_gap && !parse_groups(s.substr(gap + 2), true, after)) return std::nullopt;
    const std::size_t written = before.count + after.count;
    if (has_gap ? written >= groups_of_v6 : written != groups_of_v6) return std::nullopt;
    std::copy_n(after.values.begin(), after.count, before.values.end() - static_cast<std::ptrdiff_t>(after.count));
    Address::V6 bytes{};
    for (std::size_t i = 0; i < groups_of_v6; ++i) {
        bytes[2 * i] = static_cast<unsigned char>(before.values[i] / 256);
        bytes[2 * i + 1] = static_cast<unsigned char>(before.values[i] % 256);
    }
    return Address(bytes);
}

void append_group(std::string& out, unsigned value) {
    std::array<char, 4> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr);
}

std::string v4_text(std::span<const unsigned char, 4> bytes) {
    std::array<char, 15> out{};
    char* end = out.data();
    for (const unsigned char byte : bytes) {
        if (end != out.data()) *end++ = '.';
        end = std::to_chars(end, out.data() + out.size(), byte).ptr;
    }
    return {out.data(), end};
}

struct Run {
    std::size_t begin = groups_of_v6, length = 1;  // one zero alone is written (RFC 5952 §4.2.2)
};

// The longest run of zeros, of equal ones the first (§4.2.3).
Run longest_zeros(const std::array<unsigned, groups_of_v6>& groups) {
    Run longest;
    for (std::size_t begin = 0, i = 0; i < groups.size(); ++i) {
        if (groups[i] != 0)
            begin = i + 1;
        else if (i + 1 - begin > longest.length)
            longest = {begin, i + 1 - begin};
    }
    return longest;
}

}  // namespace

Address::Address(const V4& bytes) {
    std::ranges::copy(v4_prefix, bytes_.begin());
    std::ranges::copy(bytes, bytes_.begin() + v4_prefix.size());
}

std::optional<Address> Address::parse(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    const auto bytes = parse_v4(text);
    return bytes ? std::optional(Address(*bytes)) : std::nullopt;
}

bool Address::is_v4() const { return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin()); }

std::string Address::text() const {
    if (is_v4()) return v4_text(std::span(bytes_).last<4>());
    std::string out;
    std::array<unsigned, groups_of_v6> groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = bytes_[2 * i] * 256U + bytes_[2 * i + 1];
    const Run zeros = longest_zeros(groups);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (i == zeros.begin) {
            out += "::";
            i += zeros.length - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':') out += ':';
        append_group(out, groups[i]);
    }
    return out;
}

}  // namespace millrace::peer
