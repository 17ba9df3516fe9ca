// Preflights that are granted and those that are not, and what other replies tell a page.
#include <gtest/gtest.h>

#include "millrace/core/cors.hpp"

namespace millrace::cors {
namespace {

using message::Method;

message::Request request_of(Method method, std::vector<message::Header> headers) {
    message::Request request;
    request.method = method;
    request.headers = std::move(headers);
    return request;
}

std::string lines_for(Method method, std::vector<message::Header> headers, const Origins& origins = {}) {
    message::HeaderBlock block;
    add_headers(request_of(method, std::move(headers)), origins, block);
    return block.lines();
}

TEST(Cors, grants_a_preflight_what_it_asks_for) {
    const auto reply = preflight(request_of(Method::options, {{"Origin", "http://a.example"},
                                                              {"Access-Control-Request-Method", "POST"},
                                                              {"Access-Control-Request-Headers", "Foo,Bar , accept"}}),
                                 {});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->headers.lines(),
              "Access-Control-Allow-Origin: *\r\n"
              "Access-Control-Allow-Headers: Authorization, Foo, Bar, accept, Accept-Language, Content-Language\r\n"
              "Access-Control-Allow-Methods: GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD\r\n"
              "Access-Control-Max-Age: 86400\r\n");
}

TEST(Cors, names_the_origin_where_origins_are_named) {
    const Origins origins = {"http://a.example", "http://b.example"};
    const auto reply = preflight(
        request_of(Method::options, {{"Origin", "http://b.example"}, {"Access-Control-Request-Method", "GET"}}), origins);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->headers.get("Access-Control-Allow-Origin"), "http://b.example");
    EXPECT_EQ(reply->headers.get("Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(reply->headers.get("Vary"), "Origin");
}

TEST(Cors, grants_nothing_else) {
    const Origins origins = {"http://a.example"};
    const message::Header from{"Origin", "http://a.example"}, wants{"Access-Control-Request-Method", "GET"};
    EXPECT_TRUE(preflight(request_of(Method::options, {from, wants}), origins));
    EXPECT_FALSE(preflight(request_of(Method::get, {from, wants}), origins));
    EXPECT_FALSE(preflight(request_of(Method::options, {from}), origins));
    EXPECT_FALSE(preflight(request_of(Method::options, {wants}), origins));
    EXPECT_FALSE(preflight(request_of(Method::options, {{"Origin", "http://a.example.evil"}, wants}), origins));
    EXPECT_FALSE(preflight(request_of(Method::options, {from, {"Access-Control-Request-Method", "TRACE"}}), origins));
    EXPECT_FALSE(preflight(request_of(Method::options, {from, wants, {"Access-Control-Request-Headers", "a b"}}), origins));
}

TEST(Cors, tells_a_page_what_it_may_read) {
    const std::string exposed =
        "Access-Control-Expose-Headers: Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, "
        "Server, "
        "Transfer-Encoding, Range-Unit\r\n";
    EXPECT_EQ(lines_for(Method::get, {{"Origin", "x"}}), "Access-Control-Allow-Origin: *\r\n" + exposed);
    EXPECT_EQ(lines_for(Method::get, {{"Origin", "x"}}, {"x"}),
              "Access-Control-Allow-Origin: x\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n" + exposed);
    EXPECT_EQ(lines_for(Method::get, {{"Origin", "y"}}, {"x"}), "");
    EXPECT_EQ(lines_for(Method::get, {}), "");
    EXPECT_EQ(lines_for(Method::options, {}, {"x"}), "Access-Control-Allow-Origin: *\r\n");
}

}  // namespace
}  // namespace millrace::cors
