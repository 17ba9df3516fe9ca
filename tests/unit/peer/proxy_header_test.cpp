// The PROXY protocol's header: what is one, what is none, and that it ends where it says.
#include <gtest/gtest.h>

#include <millrace/core/peer.hpp>

namespace millrace::peer {
namespace {

using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(unsigned command, unsigned family, const std::string& rest, std::size_t length) {
    std::string header = signature + static_cast<char>(command) + static_cast<char>(family);
    header += static_cast<char>(length / 256);
    header += static_cast<char>(length % 256);
    return header + rest;
}
std::string binary(unsigned command, unsigned family, const std::string& rest) {
    return binary(command, family, rest, rest.size());
}

const std::string v4_addresses = "\xC0\x00\x02\x01\xC0\x00\x02\x02\xDC\x04\x01\xBB"s;
const std::string v6_addresses = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"s + std::string(16, 'b') + "\xDC\x04\x01\xBB"s;
const std::string crc_and_noop = "\x03\0\x04\x01\x02\x03\x04\x04\0\0"s;

// The client by a header that must be one, read in pieces of `step` bytes: "none" when it names nobody.
std::string client(const std::string& header, std::size_t step = 1000) {
    const std::string sent = header + "GET / HTTP/1.1\r\n";
    ProxyHeader read;
    std::size_t used = 0;
    while (!read.done() && used < sent.size()) {
        const auto more = read.feed(std::string_view(sent).substr(used, step));
        if (!more) return "malformed";
        used += *more;
    }
    EXPECT_EQ(used, header.size());
    return read.client() ? read.client()->text() : "none";
}

}  // namespace

TEST(ProxyHeader, names_the_client) {
    struct {
        std::string header;
        const char* client;
    } const cases[] = {
        {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 0 1\r\n", "192.0.2.1"},
        {"PROXY TCP6 2001:DB8::7 ::1 56324 443\r\n", "2001:db8::7"},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::1 56324 443\r\n", "192.0.2.1"},
        {"PROXY UNKNOWN\r\n", "none"},
        {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "none"},
        {binary(0x21, 0x11, v4_addresses), "192.0.2.1"},
        {binary(0x21, 0x12, v4_addresses), "192.0.2.1"},
        {binary(0x21, 0x11, v4_addresses + crc_and_noop), "192.0.2.1"},
        {binary(0x21, 0x21, v6_addresses), "2001:db8::7"},
        {binary(0x21, 0x21, v6_addresses + std::string(4044, 't')), "2001:db8::7"},
        {binary(0x21, 0x31, std::string(216, '/')), "none"},
        {binary(0x21, 0x00, ""), "none"},
        {binary(0x21, 0x00, crc_and_noop), "none"},
        {binary(0x20, 0x00, ""), "none"},
        {binary(0x20, 0x11, v4_addresses), "none"},
        {binary(0x20, 0x11, ""), "none"},
    };
    for (const auto& [header, expected] : cases)
        for (const std::size_t step : {1000, 7, 1}) EXPECT_EQ(client(header, step), expected) << header;
}

TEST(ProxyHeader, is_nothing_else) {
    const std::string long_line = "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n";
    const std::string longest_line = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
    EXPECT_EQ(client(longest_line), "none");
    for (const std::string& header : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"s,
                                      "\x16\x03\x01"s,
                                      "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                      long_line,
                                      "PROXY\r\n"s,
                                      "PROXY \r\n"s,
                                      "PROXY UNKNOWNS\r\n"s,
                                      "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"s,
                                      "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"s,
                                      "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n"s,
                                      "PROXY TCP4 ::1 ::2 1 2\r\n"s,
                                      "PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 1 2\r\n"s,
                                      "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"s,
                                      "PROXY TCP4 192.0.2.1\r192.0.2.2 1 2\r\n"s,
                                      "\r\n\r\nGET"s,
                                      binary(0x11, 0x11, v4_addresses),
                                      binary(0x22, 0x11, v4_addresses),
                                      binary(0x01, 0x11, v4_addresses),
                                      binary(0x21, 0x41, v4_addresses),
                                      binary(0x21, 0x13, v4_addresses),
                                      binary(0x21, 0x11, v4_addresses, 11),
                                      binary(0x21, 0x21, v6_addresses, 35),
                                      binary(0x21, 0x31, std::string(215, '/')),
                                      binary(0x21, 0x11, std::string(4081, 't')),
                                      binary(0x20, 0x00, std::string(65'535, 't'))})
        for (const std::size_t step : {1000, 1}) EXPECT_EQ(client(header, step), "malformed") << header.substr(0, 100);
}

TEST(ProxyHeader, is_refused_at_the_first_byte_that_cannot_be) {
    ProxyHeader http, endless;
    EXPECT_FALSE(http.feed("G").has_value());
    EXPECT_TRUE(endless.feed("PROXY UNKNOWN " + std::string(93, 'x')).has_value());
    EXPECT_FALSE(endless.feed("x").has_value());
    ProxyHeader nothing;
    EXPECT_FALSE(nothing.begun());
    EXPECT_TRUE(nothing.feed("P").has_value());
    EXPECT_TRUE(nothing.begun());
    EXPECT_FALSE(nothing.done());
}

}  // namespace millrace::peer
