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
    return client_of(request, {*Address::parse(peer)}, trusted()).address.text();
}

bool used_tls(std::vector<message::Header> headers, bool encrypted = false, const char* peer = proxy) {
    message::Request request;
    request.headers = std::move(headers);
    return client_of(request, {*Address::parse(peer), encrypted}, trusted()).encrypted;
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
    EXPECT_EQ(client_of(request, {*Address::parse(proxy)}, Networks()).address.text(), proxy);
}

TEST(ForwardedProto, is_what_the_proxy_before_the_client_says) {
    const message::Header one{"X-Forwarded-For", "203.0.113.9"}, two{"X-Forwarded-For", "203.0.113.9, 10.0.0.2"};
    struct {
        std::vector<message::Header> headers;
        bool https;
    } const cases[] = {
        {{one, {"X-Forwarded-Proto", "https"}}, true},
        {{one, {"x-forwarded-proto", " HTTPS "}}, true},
        {{one, {"X-Forwarded-Proto", "http"}}, false},
        {{one, {"X-Forwarded-Proto", "https, http"}}, false},  // the client wrote the first
        {{one, {"X-Forwarded-Proto", "http, https"}}, true},
        {{two, {"X-Forwarded-Proto", "https, http"}}, true},  // two proxies, and plain HTTP between them
        {{two, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}, true},
        {{two, {"X-Forwarded-Proto", "https, http, http"}}, false},
        {{two, {"X-Forwarded-Proto", "https"}}, true},
        {{{"X-Forwarded-Proto", "https"}}, true},
        {{{"X-Forwarded-Proto", "wss"}}, false},
        {{{"X-Forwarded-Proto", ""}}, false},
        {{{"Forwarded", "for=203.0.113.9;proto=https"}}, true},
        {{{"Forwarded", "for=203.0.113.9;Proto=\"HTTPS\""}}, true},
        {{{"Forwarded", "for=203.0.113.9;proto=http"}}, false},
        {{{"Forwarded", "for=198.51.100.1;proto=https, for=203.0.113.9;proto=http"}}, false},
        {{{"Forwarded", "for=203.0.113.9;proto=https, for=10.0.0.2;proto=http"}}, true},
        {{{"Forwarded", "for=203.0.113.9;proto=https;proto=http"}}, false},
        // Fields are not mixed.
        {{{"Forwarded", "for=203.0.113.9;proto=https"}, one}, false},
        {{{"Forwarded", "for=203.0.113.9;proto=https"}, {"X-Forwarded-Proto", "http"}}, false},
    };
    for (const auto& [headers, https] : cases)
        EXPECT_EQ(used_tls(headers), https) << headers[0].value << " | " << headers.back().value;
}

TEST(ForwardedProto, that_is_not_there_leaves_what_the_connection_is) {
    for (const bool encrypted : {false, true}) {
        EXPECT_EQ(used_tls({}, encrypted), encrypted);
        EXPECT_EQ(used_tls({{"X-Forwarded-For", "203.0.113.9"}}, encrypted), encrypted);
        EXPECT_EQ(used_tls({{"Forwarded", "for=203.0.113.9"}}, encrypted), encrypted);
        EXPECT_EQ(used_tls({{"Forwarded", "proto=https"}}, encrypted), encrypted) << "nobody is named";
        for (const char* scheme : {"http", "https"})
            EXPECT_EQ(used_tls({{"X-Forwarded-Proto", scheme}}, encrypted, "203.0.113.9"), encrypted) << "nobody trusts him";
    }
}

}  // namespace millrace::peer
