// Addresses have one form, and are in the networks that they are in.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <millrace/core/peer.hpp>
#include <random>

namespace millrace::peer {
namespace {

std::string normal(std::string_view text) {
    const auto address = Address::parse(text);
    return address ? address->text() : "none";
}

// What the system makes of it.
std::optional<Address> by_system(const std::string& text) {
    Address::V4 v4{};
    if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return Address(v4);
    Address::V6 v6{};
    if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return Address(v6);
    return std::nullopt;
}

bool contains(const char* network, const char* address) {
    const auto read = Network::parse(network);
    EXPECT_TRUE(read.has_value()) << network;
    return read && read->contains(*Address::parse(address));
}

}  // namespace

TEST(PeerAddress, has_one_form) {
    struct {
        const char *text, *form;
    } const cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::0001", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
        {"::1.2.3.4", "::102:304"},
    };
    for (const auto& [text, form] : cases) EXPECT_EQ(normal(text), form) << text;
}

TEST(PeerAddress, is_nothing_else) {
    for (const char* text : {"",
                             "1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.256",
                             "1.2.3.04",
                             "01.2.3.4",
                             "1.2.3.",
                             ".1.2.3",
                             "1..2.3",
                             "+1.2.3.4",
                             "-1.2.3.4",
                             " 1.2.3.4",
                             "1.2.3.4 ",
                             "0x1.2.3.4",
                             "1.2.3.4:80",
                             "[::1]",
                             "::1%eth0",
                             ":",
                             ":::",
                             "1:::2",
                             "1::2::3",
                             "::1:",
                             ":1::",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8:9",
                             "1:2:3:4:5:6:7::8",
                             "12345::",
                             "g::",
                             "::1.2.3",
                             "1.2.3.4::",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "::1.2.3.4:5",
                             "+1::",
                             "-1::",
                             "unknown"})
        EXPECT_EQ(normal(text), "none") << text;
}

TEST(PeerAddress, is_what_the_system_takes_it_for) {
    const std::string alphabet = "0123.:::.fF%/";
    std::mt19937 random(7);
    int read = 0;
    for (int i = 0; i < 300'000; ++i) {
        std::string text(random() % 14, ' ');
        std::ranges::generate(text, [&] { return alphabet[random() % alphabet.size()]; });
        const auto ours = Address::parse(text), theirs = by_system(text);
        ASSERT_EQ(ours, theirs) << text;
        if (!ours) continue;
        ++read;
        ASSERT_EQ(Address::parse(ours->text()), ours) << text;
    }
    EXPECT_GT(read, 100);
    for (int i = 0; i < 20'000; ++i) {
        Address::V6 bytes{};
        std::ranges::generate(bytes, [&] { return random() % 2 == 0 ? 0 : static_cast<unsigned char>(random()); });
        const std::string text = Address(bytes).text();
        ASSERT_EQ(by_system(text), Address(bytes)) << text;
    }
}

TEST(PeerNetwork, contains_what_begins_as_it_does) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.255"));
    EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
    EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(contains("192.0.2.1/32", "::ffff:192.0.2.1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("::1", "::1"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(PeerNetwork, says_what_is_wrong) {
    struct {
        const char *text, *why;
    } const cases[] = {
        {"", "it is not an address, nor one with '/' and a number of bits"},
        {"localhost", "it is not an address, nor one with '/' and a number of bits"},
        {"10.0.0.0/", "after '/' is a number up to 32"},
        {"10.0.0.0/33", "after '/' is a number up to 32"},
        {"10.0.0.0/-1", "after '/' is a number up to 32"},
        {"10.0.0.0/8 ", "after '/' is a number up to 32"},
        {"::/129", "after '/' is a number up to 128"},
        {"10.0.0.1/8", "the one that this address is in begins at 10.0.0.0"},
        {"2001:db8::1/64", "the one that this address is in begins at 2001:db8::"},
    };
    for (const auto& [text, why] : cases) {
        const auto network = Network::parse(text);
        ASSERT_FALSE(network.has_value()) << text;
        EXPECT_EQ(network.error().message, "\"" + std::string(text) + "\" is no network: " + why);
    }
}

}  // namespace millrace::peer
