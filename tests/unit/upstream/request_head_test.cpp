// What of a request a service gets to see.
#include <gtest/gtest.h>

#include <millrace/core/upstream.hpp>

namespace millrace::upstream {
namespace {

message::Request request_with(std::vector<message::Header> headers) {
    message::Request request;
    request.path = "/v1/orders/7";
    request.query = "a=b";
    request.peer = "192.0.2.7";
    request.headers = std::move(headers);
    return request;
}

routes::Upstream route(routes::UpstreamPolicy policy = {}) { return {"orders", std::move(policy), {}}; }

std::string head_of(const routes::Upstream& route, const message::Request& request, const char* url = "http://a:8080") {
    const Sending sending{route, request, "/7", "id-1"};
    return request_head(sending, *url::parse_base(url));
}

bool has_line(const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST(UpstreamPath, stays_below_its_route) {
    for (const char* good : {"", "/", "/7", "/a/b%20c", "/a..b", "/...", "/%25", "/%C3%B6"})
        EXPECT_TRUE(stays_below(good)) << good;
    for (const char* bad : {"/..", "/../x", "/a/./b", "/%2e%2e/x", "/%2E./x", "/..%2fx", "/..\\x", "/%5c..%5c", "/..;a/x",
                            "/%252e%252e/x", "/%00", "/%", "/%zz", "/%0d%0a"})
        EXPECT_FALSE(stays_below(bad)) << bad;
}

TEST(UpstreamRequest, goes_to_the_path_that_the_route_stands_for) {
    const auto request = request_with({});
    struct Case {
        const char *path, *url, *target;
    };
    for (const Case& c :
         {Case{"", "http://a", "/orders/7?a=b"}, Case{"", "http://a/base", "/base/orders/7?a=b"},
          Case{"/", "http://a", "/7?a=b"}, Case{"/x", "http://a/", "/x/7?a=b"}, Case{"/x/", "http://a", "/x/7?a=b"}}) {
        routes::UpstreamPolicy policy;
        policy.path = c.path;
        const std::string head = head_of(route(policy), request, c.url);
        EXPECT_TRUE(head.starts_with("GET " + std::string(c.target) + " HTTP/1.1\r\n")) << head;
    }
    routes::UpstreamPolicy root;
    root.path = "/";
    const auto whole = route(root);
    const Sending sending{whole, request, "", "id"};
    EXPECT_TRUE(request_head(sending, *url::parse_base("http://a")).starts_with("GET /?a=b HTTP/1.1\r\n"));
}

TEST(UpstreamRequest, leaves_behind_what_is_one_connections) {
    const auto request = request_with({{"Host", "api.example"},
                                       {"Connection", "close, X-Private"},
                                       {"X-Private", "1"},
                                       {"Keep-Alive", "5"},
                                       {"TE", "trailers"},
                                       {"Upgrade", "h2c"},
                                       {"Proxy-Authorization", "Basic x"},
                                       {"Transfer-Encoding", "chunked"},
                                       {"Expect", "100-continue"},
                                       {"Accept", "text/plain"},
                                       {"traceparent", "00-1-2-01"}});
    const std::string head = head_of(route(), request);
    EXPECT_TRUE(has_line(head, "Host: a:8080")) << head;
    EXPECT_TRUE(has_line(head, "Accept: text/plain"));
    EXPECT_TRUE(has_line(head, "traceparent: 00-1-2-01"));
    for (const char* gone :
         {"X-Private", "Keep-Alive", "TE:", "Upgrade", "Proxy-Auth", "Transfer-Encoding", "Expect", "close", "Host: api"})
        EXPECT_EQ(head.find(gone), std::string::npos) << gone;
}

TEST(UpstreamRequest, tells_whom_it_is_for) {
    auto request = request_with({{"Host", "api.example"}, {"Via", "1.1 front"}});
    const std::string head = head_of(route(), request);
    EXPECT_TRUE(has_line(head, "X-Forwarded-For: 192.0.2.7")) << head;
    EXPECT_TRUE(has_line(head, "Forwarded: for=192.0.2.7;host=\"api.example\";proto=http"));
    EXPECT_TRUE(has_line(head, "X-Forwarded-Proto: http"));
    EXPECT_TRUE(has_line(head, "Via: 1.1 front, 1.1 millrace"));
    EXPECT_EQ(head.find("Via:"), head.rfind("Via:"));
    EXPECT_TRUE(has_line(head, "X-Request-Id: id-1"));
    request.encrypted = true;
    request.peer = "2001:db8::7";
    const std::string encrypted = head_of(route(), request);
    EXPECT_TRUE(has_line(encrypted, "X-Forwarded-Proto: https")) << encrypted;
    EXPECT_TRUE(has_line(encrypted, "Forwarded: for=\"[2001:db8::7]\";host=\"api.example\";proto=https"));
}

TEST(UpstreamRequest, passes_nothing_on_that_others_say_of_the_client) {
    const std::string head = head_of(route(), request_with({{"X-Forwarded-For", "198.51.100.1"},
                                                            {"x-forwarded-for", "198.51.100.2"},
                                                            {"X-Forwarded-Proto", "https"},
                                                            {"X-Forwarded-Host", "198.51.100.3"},
                                                            {"Forwarded", "for=198.51.100.4;proto=https"},
                                                            {"X-Real-IP", "198.51.100.5"}}));
    EXPECT_EQ(head.find("198.51.100."), std::string::npos) << head;
    EXPECT_EQ(head.find("https"), std::string::npos) << head;
    EXPECT_TRUE(has_line(head, "X-Forwarded-For: 192.0.2.7"));
}

TEST(UpstreamRequest, shows_a_token_only_where_the_route_says_so) {
    const auto request = request_with({{"Authorization", "Bearer t"}, {"apikey", "k"}});
    EXPECT_EQ(head_of(route(), request).find("Bearer"), std::string::npos);
    EXPECT_EQ(head_of(route(), request).find("apikey"), std::string::npos);
    routes::UpstreamPolicy policy;
    policy.forward_authorization = true;
    EXPECT_TRUE(has_line(head_of(route(policy), request), "Authorization: Bearer t"));
    EXPECT_TRUE(shows_caller(policy, request));
    EXPECT_FALSE(shows_caller({}, request));
}

TEST(UpstreamRequest, carries_what_the_route_sets_instead_of_what_the_client_sent) {
    routes::UpstreamPolicy policy;
    policy.set_headers = {{"X-Tenant", "ours"}};
    const std::string head = head_of(route(policy), request_with({{"x-tenant", "theirs"}}));
    EXPECT_TRUE(has_line(head, "X-Tenant: ours")) << head;
    EXPECT_EQ(head.find("theirs"), std::string::npos);
    policy.set_headers = {{"x-forwarded-proto", "https"}};
    const std::string secure = head_of(route(policy), request_with({}));
    EXPECT_TRUE(has_line(secure, "x-forwarded-proto: https")) << secure;
    EXPECT_EQ(secure.find("X-Forwarded-Proto"), std::string::npos);
}

TEST(UpstreamRequest, asks_with_the_validators_of_what_is_kept) {
    const auto request = request_with({{"If-None-Match", "\"theirs\""}});
    const auto plain = route();
    const Sending sending{plain, request, "", "id", true, {"\"ours\"", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    const std::string head = request_head(sending, *url::parse_base("http://a"));
    EXPECT_TRUE(has_line(head, "If-None-Match: \"ours\"")) << head;
    EXPECT_TRUE(has_line(head, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"));
    EXPECT_EQ(head.find("theirs"), std::string::npos);
    EXPECT_TRUE(has_line(head_of(plain, request), "If-None-Match: \"theirs\""));
}

TEST(UpstreamRequest, has_the_length_of_its_body) {
    auto request = request_with({{"Content-Length", "9"}});
    EXPECT_EQ(head_of(route(), request).find("Content-Length"), std::string::npos);
    request.method = message::Method::post;
    EXPECT_TRUE(has_line(head_of(route(), request), "Content-Length: 0"));
    request.body = "12345";
    EXPECT_TRUE(has_line(head_of(route(), request), "Content-Length: 5"));
}

TEST(UpstreamRequest, says_how_a_body_is_framed_that_comes_later_and_never_in_two_ways) {
    for (const auto method : {message::Method::post, message::Method::del}) {
        auto request = request_with({{"Content-Length", "9"}, {"Transfer-Encoding", "chunked"}});
        request.method = method;
        const auto plain = route();
        Sending sending{plain, request, "", "id"};
        sending.streams = true;
        std::string head = request_head(sending, *url::parse_base("http://a"));
        EXPECT_TRUE(has_line(head, "Transfer-Encoding: chunked")) << head;
        EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
        sending.length = 70'000'000'000;
        head = request_head(sending, *url::parse_base("http://a"));
        EXPECT_TRUE(has_line(head, "Content-Length: 70000000000")) << head;
        EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
    }
}

}  // namespace millrace::upstream
