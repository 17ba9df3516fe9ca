// Reads where to listen: "address:port", "[address]:port" or ":port".
#include <algorithm>

#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::config {
namespace {

constexpr std::string_view expected = R"(must be "address:port", "[address]:port" or ":port")";

bool digits(std::string_view s) {
    return !s.empty() && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ipv4(std::string_view s) {
    const auto parts = text::split(s, '.');
    return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
               return digits(part) && part.size() <= 3 && *text::to_int(part) <= 255;
           });
}

// The alphabet of an IPv6 address with a zone; whether it exists on this machine only the system can say, when it is bound.
bool is_ipv6(std::string_view s) {
    const auto zone = s.find('%');
    if (zone != std::string_view::npos && zone + 1 == s.size()) return false;
    const std::string_view address = s.substr(0, zone);
    return std::ranges::count(address, ':') >= 2 && address.size() <= 45 &&
           address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

}  // namespace

Complaint parse_listen(std::string_view text, Listen& listen) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::string(expected);
    const std::string_view port = text.substr(colon + 1);
    std::string_view address = text.substr(0, colon);
    if (!digits(port) || port.size() > 5 || *text::to_int(port) > 65535) return "must end in a port between 0 and 65535";

    const bool bracketed = address.size() > 2 && address.starts_with('[') && address.ends_with(']');
    if (bracketed) address = address.substr(1, address.size() - 2);
    if (address.empty()) address = "0.0.0.0";
    if (address == "localhost") address = "127.0.0.1";
    if (bracketed ? !is_ipv6(address) : !is_ipv4(address)) return std::string(expected) + ", with a numeric address";
    listen = {std::string(address), static_cast<std::uint16_t>(*text::to_int(port))};
    return std::nullopt;
}

}  // namespace millrace::config
