// Decides whether bytes are a host and port by RFC 3986, and whether two of them are the same.
#include "host.hpp"

#include <algorithm>
#include <millrace/core/text.hpp>

#include "characters.hpp"

namespace millrace::framing {
namespace {

constexpr std::size_t port_digits_max = 5;
constexpr std::size_t host_bytes_max = 255;

bool all(std::string_view s, const std::array<bool, 256>& table) {
    return std::ranges::all_of(s, [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool valid_reg_name(std::string_view s) {
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (reg_name_table[static_cast<unsigned char>(s[i])]) continue;
        if (s[i] != '%' || i + 2 >= s.size() || hex_value(s[i + 1]) < 0 || hex_value(s[i + 2]) < 0) return false;
        i += 2;
    }
    return !s.empty();
}

bool valid_octet(std::string_view s) {
    if (s.empty() || s.size() > 3 || (s.size() > 1 && s[0] == '0') || !std::ranges::all_of(s, is_digit)) return false;
    return s.size() < 3 || s <= "255";
}

bool valid_ipv4(std::string_view s) {
    for (int i = 0; i < 3; ++i) {
        const auto dot = s.find('.');
        if (dot == std::string_view::npos || !valid_octet(s.substr(0, dot))) return false;
        s.remove_prefix(dot + 1);
    }
    return valid_octet(s);
}

bool valid_group(std::string_view s) {
    return !s.empty() && s.size() <= 4 && std::ranges::all_of(s, [](char c) { return hex_value(c) >= 0; });
}

// How many 16-bit groups a colon-separated run holds, an IPv4 tail counting two; -1 when it is none.
int count_groups(std::string_view s, bool ipv4_tail_allowed) {
    if (s.empty()) return 0;
    for (int groups = 1;; ++groups) {
        const auto colon = s.find(':');
        if (colon == std::string_view::npos) {
            if (valid_group(s)) return groups;
            return ipv4_tail_allowed && valid_ipv4(s) ? groups + 1 : -1;
        }
        if (!valid_group(s.substr(0, colon))) return -1;
        s.remove_prefix(colon + 1);
    }
}

bool valid_ipv6(std::string_view s) {
    const auto gap = s.find("::");
    if (gap == std::string_view::npos) return count_groups(s, true) == 8;
    const int before = count_groups(s.substr(0, gap), false), after = count_groups(s.substr(gap + 2), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

bool valid_ipv_future(std::string_view s) {  // "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
    const auto dot = s.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == s.size()) return false;
    const std::string_view version = s.substr(1, dot - 1);
    return std::ranges::all_of(version, [](char c) { return hex_value(c) >= 0; }) && all(s.substr(dot + 1), ipv_future_table);
}

bool valid_literal(std::string_view s) {
    if (s.starts_with('v') || s.starts_with('V')) return valid_ipv_future(s);
    return valid_ipv6(s);
}

bool valid_port(std::string_view s) {  // may be empty: port = *DIGIT
    if (s.size() > port_digits_max || !std::ranges::all_of(s, is_digit)) return false;
    return s.size() < port_digits_max || s <= "65535";
}

struct Authority {
    std::string_view host, port;
};

Authority split(std::string_view s) {
    const auto bracket = s.starts_with('[') ? s.find(']') : 0;
    const auto colon = bracket == std::string_view::npos ? bracket : s.find(':', bracket);
    if (colon == std::string_view::npos) return {s, {}};
    return {s.substr(0, colon), s.substr(colon + 1)};
}

}  // namespace

bool valid_host(std::string_view s) {
    if (s.size() > host_bytes_max) return false;
    const auto [host, port] = split(s);
    if (!valid_port(port)) return false;
    if (!host.starts_with('[')) return valid_reg_name(host);
    return host.size() > 2 && host.ends_with(']') && valid_literal(host.substr(1, host.size() - 2));
}

bool same_host(std::string_view a, std::string_view b, std::string_view default_port) {
    const Authority x = split(a), y = split(b);
    const std::string_view x_port = x.port.empty() ? default_port : x.port, y_port = y.port.empty() ? default_port : y.port;
    return text::iequals(x.host, y.host) && x_port == y_port;
}

}  // namespace millrace::framing
