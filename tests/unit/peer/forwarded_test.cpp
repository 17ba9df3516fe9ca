// Who is behind proxies: the last address that is vouched for, and nothing that a client can make up.
#include <gtest/gtest.h>

#include <millrace/core/peer.hpp>

namespace millrace::peer {
namespace {

constexpr const char* proxy = "10.0.0.1";

const Networks& trusted() {
    static const auto networks = Networks::parse(std::vector<std::string>{"10.0.0.0/8", "fd00::/8"});
    return *networks;
}

std::string client(std::vector<message::Header> headers, const char* peer = proxy) {
    message::Request request;
    request.headers = std::move(headers);
    return client_of(request, *Address::parse(peer), trusted()).text();
}

}  // namespace

TEST(ForwardedFor, is_believed_as_far_as_trusted_proxies_vouch_for_it) {
    struct {
        const char *value, *client;
    } const cases[] = {
        {"203.0.113.9", "203.0.113.9"},
        {" 203.0.113.9 ", "203.0.113.9"},
        {"203.0.113.9:4711", "203.0.113.9"},
        {"2001:DB8::9", "2001:db8::9"},
        {"[2001:db8::9]", "2001:db8::9"},
        {"[2001:db8::9]:4711", "2001:db8::9"},
        {"198.51.100.1, 203.0.113.9", "203.0.113.9"},            // the client wrote the first
        {"198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},  // two proxies
        {"198.51.100.1,203.0.113.9,fd00::2,10.0.0.2", "203.0.113.9"},
        {"10.0.0.7, 203.0.113.9", "203.0.113.9"},  // the client plays one of them
        {"10.0.0.3, 10.0.0.2", "10.0.0.3"},        // a request from within
        {", 203.0.113.9,, ", "203.0.113.9"},
        {"nonsense\", \"203.0.113.9", "10.0.0.1"},
        {"\", 203.0.113.9", "203.0.113.9"},
        {"203.0.113.9, unknown", "10.0.0.1"},
        {"203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"},
        {"203.0.113.256", "10.0.0.1"},
        {"203.0.113.9:", "10.0.0.1"},
        {"203.0.113.9:x", "10.0.0.1"},
        {"[203.0.113.9]", "10.0.0.1"},
        {"[2001:db8::9", "10.0.0.1"},
        {"[2001:db8::9]4711", "10.0.0.1"},
        {"[2001:db8::9]:", "10.0.0.1"},
        {"", "10.0.0.1"},
        {" , ", "10.0.0.1"},
    };
    for (const auto& [value, expected] : cases) EXPECT_EQ(client({{"X-Forwarded-For", value}}), expected) << value;
}

TEST(Forwarded, is_believed_as_far_as_trusted_proxies_vouch_for_it) {
    struct {
        const char *value, *client;
    } const cases[] = {
        {"for=203.0.113.9", "203.0.113.9"},
        {"For=203.0.113.9;proto=http;by=10.0.0.1", "203.0.113.9"},
        {"proto=https ; FOR=\"203.0.113.9:4711\"", "203.0.113.9"},
        {"for=\"[2001:db8::9]\"", "2001:db8::9"},
        {"for=\"[2001:db8::9]:4711\"", "2001:db8::9"},
        {"for=198.51.100.1, for=203.0.113.9", "203.0.113.9"},
        {"for=198.51.100.1, for=203.0.113.9, for=\"[fd00::2]\", for=10.0.0.2", "203.0.113.9"},
        {"for=10.0.0.3;by=203.0.113.43, for=10.0.0.2", "10.0.0.3"},
        {"for=203.0.113.9;host=\"a,for=198.51.100.1\"", "203.0.113.9"},
        {"for=203.0.113.9;host=\"a\\\",for=198.51.100.1\"", "203.0.113.9"},
        {"for=203.0.113.9;host=\"a;for=198.51.100.1\"", "203.0.113.9"},
        {"for=203.0.113.9;host=\"a\\\\\"", "203.0.113.9"},
        // An open quote of the client's cannot swallow what the proxy appended.
        {"for=\", for=203.0.113.9", "203.0.113.9"},
        {"for=\"\\, for=203.0.113.9", "203.0.113.9"},
        {"for=\"x, for=\"[2001:db8::9]\"", "2001:db8::9"},
        {"for=unknown", "10.0.0.1"},
        {"for=_hidden, for=10.0.0.2", "10.0.0.2"},
        {"for=203.0.113.9, proto=https", "10.0.0.1"},
        {"for=203.0.113.9;for=198.51.100.1", "10.0.0.1"},
        {"for=\"203.0.113.9", "10.0.0.1"},
        {"for=\"", "10.0.0.1"},
        {"for =203.0.113.9", "10.0.0.1"},
        {"203.0.113.9", "10.0.0.1"},
        {"", "10.0.0.1"},
    };
    for (const auto& [value, expected] : cases) EXPECT_EQ(client({{"Forwarded", value}}), expected) << value;
}

TEST(ForwardedFields, of_several_lines_are_one_list) {
    EXPECT_EQ(client({{"X-Forwarded-For", "198.51.100.1"}, {"Host", "a"}, {"x-forwarded-for", "203.0.113.9, 10.0.0.2"}}),
              "203.0.113.9");
    EXPECT_EQ(client({{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-For", "10.0.0.2"}}), "203.0.113.9");
    EXPECT_EQ(client({{"Forwarded", "for=203.0.113.9"}, {"Forwarded", "for=10.0.0.2"}}), "203.0.113.9");
}

TEST(ForwardedFields, are_not_mixed) {
    EXPECT_EQ(client({{"Forwarded", "for=198.51.100.1"}, {"X-Forwarded-For", "203.0.113.9"}}), "203.0.113.9");
    EXPECT_EQ(client({{"X-Forwarded-For", "203.0.113.9"}, {"Forwarded", "for=198.51.100.1"}}), "203.0.113.9");
    EXPECT_EQ(client({{"X-Forwarded-For", "10.0.0.2"}, {"Forwarded", "for=198.51.100.1"}}), "10.0.0.2");
}

TEST(ForwardedFields, of_whom_nobody_trusts_are_never_believed) {
    for (const char* peer : {"203.0.113.9", "11.0.0.1", "2001:db8::9"}) {
        EXPECT_EQ(client({{"X-Forwarded-For", "198.51.100.1"}}, peer), peer);
        EXPECT_EQ(client({{"Forwarded", "for=198.51.100.1"}}, peer), peer);
    }
    message::Request request;
    request.headers = {{"X-Forwarded-For", "198.51.100.1"}};
    EXPECT_EQ(client_of(request, *Address::parse(proxy), Networks()).text(), proxy);
}

}  // namespace millrace::peer
