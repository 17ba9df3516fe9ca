// Reads the PROXY protocol's header, version 1 (a line) and version 2 (bytes), as strictly as it asks for.
#include <algorithm>
#include <charconv>

#include "millrace/core/peer.hpp"
#include "millrace/core/text.hpp"

namespace millrace::peer {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view text_start = "PROXY ";
constexpr std::string_view binary_start = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t text_bytes_max = 107;  // with its CRLF
constexpr std::size_t binary_head_bytes = 16;
constexpr unsigned version_2 = 0x20, proxied = 0x01;                     // of byte 12; LOCAL is 0
constexpr unsigned unspecified = 0x00, v4 = 0x10, v6 = 0x20, un = 0x30;  // of byte 13, with the transport in its low half
constexpr unsigned transport_max = 0x02;

unsigned byte(std::string_view s, std::size_t at) { return static_cast<unsigned char>(s[at]); }

// How long the addresses of that family are; nothing when it is none.
std::optional<std::size_t> addresses_bytes(unsigned family) {
    switch (family) {
        case unspecified:
            return 0;
        case v4:
            return 12;
        case v6:
            return 36;
        case un:
            return 216;
        default:
            return std::nullopt;
    }
}

template <class Bytes>
Address address_at(std::string_view header, std::size_t at) {
    Bytes bytes{};
    std::ranges::transform(header.substr(at, bytes.size()), bytes.begin(),
                           [](char c) { return static_cast<unsigned char>(c); });
    return Address(bytes);
}

bool valid_port(std::string_view s) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), port);
    return !s.empty() && error == std::errc() && end == s.data() + s.size() && (s.size() == 1 || s[0] != '0');
}

std::optional<Address> address_of(std::string_view text, bool wants_v4) {
    const bool looks_v4 = text.find(':') == std::string_view::npos;
    return looks_v4 == wants_v4 ? Address::parse(text) : std::nullopt;
}

}  // namespace

Result<std::size_t> ProxyHeader::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !done_)
        if (!take(bytes[used++])) return Error::of(Fault::bad_framing, "The connection does not begin with a PROXY header");
    return used;
}

bool ProxyHeader::take(char c) {
    header_ += c;
    const bool binary = header_[0] == binary_start[0];
    const std::string_view start = binary ? binary_start : text_start;
    if (header_.size() <= start.size()) return start.starts_with(header_);
    return binary ? take_binary() : take_text(c);
}

bool ProxyHeader::take_text(char c) {
    const bool after_cr = header_[header_.size() - 2] == '\r';
    if (after_cr != (c == '\n') || header_.size() > text_bytes_max) return false;
    done_ = after_cr;
    return !done_ || read_text();
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443"; what follows UNKNOWN is not looked at.
bool ProxyHeader::read_text() {
    const std::string_view line = std::string_view(header_).substr(text_start.size(), header_.size() - text_start.size() - 2);
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return true;
    const auto words = text::split(line, ' ');
    if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6")) return false;
    const bool wants_v4 = words[0] == "TCP4";
    client_ = address_of(words[1], wants_v4);
    return client_ && address_of(words[2], wants_v4) && valid_port(words[3]) && valid_port(words[4]);
}

bool ProxyHeader::take_binary() {
    if (header_.size() < binary_head_bytes) return true;
    if (header_.size() == binary_head_bytes && !read_head()) return false;
    done_ = header_.size() == length_;
    if (done_) read_addresses();
    return true;
}

// Version, command, family, transport and length. A proxy that speaks for itself may leave any family.
bool ProxyHeader::read_head() {
    const unsigned command = byte(header_, 12), family = byte(header_, 13);
    if (command != version_2 && command != (version_2 | proxied)) return false;
    const auto least = addresses_bytes(family & 0xF0U);
    if (!least || (family & 0x0FU) > transport_max) return false;
    const std::size_t rest = byte(header_, 14) * 256U + byte(header_, 15);
    length_ = binary_head_bytes + rest;
    return length_ <= bytes_max && (command == version_2 || rest >= *least);
}

void ProxyHeader::read_addresses() {
    if (byte(header_, 12) == version_2) return;
    const unsigned family = byte(header_, 13) & 0xF0U;
    if (family == v4) client_ = address_at<Address::V4>(header_, binary_head_bytes);
    if (family == v6) client_ = address_at<Address::V6>(header_, binary_head_bytes);
}

}  // namespace millrace::peer
