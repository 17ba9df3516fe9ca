// The heads that must be read, and what is read in them.
#include <gtest/gtest.h>

#include <millrace/core/framing.hpp>

namespace millrace::framing {
namespace {

using message::Method;

Head read(const std::string& head) {
    static std::string kept;  // the views point into it
    kept = head;
    auto result = read_head(kept, {});
    EXPECT_TRUE(result.has_value()) << head << (result ? "" : result.error().details.value_or(result.error().message));
    return result ? *result : Head{};
}

Head read_lines(const std::string& lines) { return read("POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"); }

}  // namespace

TEST(FramingGuard, reads_every_method_it_serves) {
    for (Method m : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del, Method::options})
        EXPECT_EQ(read(std::string(name(m)) + " /x HTTP/1.1\r\nHost: a\r\n\r\n").request.method, m);
}

TEST(FramingGuard, splits_the_target) {
    struct Row {
        const char *sent, *target, *path, *query;
    };
    for (const auto& [sent, target, path, query] : {
             Row{"/", "/", "/", ""},
             Row{"/a?", "/a?", "/a", ""},
             Row{"/a?b=c?d", "/a?b=c?d", "/a", "b=c?d"},
             Row{"//a/../b", "//a/../b", "//a/../b", ""},
             Row{"/a%20b?x=%00", "/a%20b?x=%00", "/a%20b", "x=%00"},
             Row{"/t?a=cs.{1,2}&select=\"x\",b->>c", "/t?a=cs.{1,2}&select=\"x\",b->>c", "/t", "a=cs.{1,2}&select=\"x\",b->>c"},
             Row{"http://a/x?y", "/x?y", "/x", "y"},
             Row{"HTTP://A:80/x", "/x", "/x", ""},
             Row{"http://a", "/", "/", ""},
             Row{"http://a:/", "/", "/", ""},
             Row{"https://a:443/", "/", "/", ""},
         }) {
        const Head head = read("GET " + std::string(sent) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(head.request.target, target);
        EXPECT_EQ(head.request.path, path);
        EXPECT_EQ(head.request.query, query);
    }
    EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").request.path, "*");
}

TEST(FramingGuard, takes_every_host_of_rfc_3986) {
    for (const std::string host : {"a",
                                   "a.example",
                                   "a.example.",
                                   "A-b_c~d",
                                   "a:80",
                                   "a:",
                                   "a:0",
                                   "a:65535",
                                   "127.0.0.1",
                                   "127.0.0.1:8080",
                                   "999.1.1.1",
                                   "%41b",
                                   "a!$&'()*+;=",
                                   "xn--bcher-kva.example",
                                   "[::]",
                                   "[::1]",
                                   "[::1]:8080",
                                   "[::1]:",
                                   "[1:2:3:4:5:6:7:8]",
                                   "[1::8]",
                                   "[1:2:3:4:5:6:7::]",
                                   "[::2:3:4:5:6:7:8]",
                                   "[fe80::ABCD]",
                                   "[::1.2.3.4]",
                                   "[1:2:3:4:5:6:1.2.3.4]",
                                   "[::ffff:255.255.255.255]",
                                   "[v1.a:b]",
                                   "[vF.x]",
                                   "localhost"})
        EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").request.header("host"), host);
}

TEST(FramingGuard, trims_values_and_keeps_what_is_inside) {
    const Head head = read_lines("A:b\r\nB: \t c d\t \r\nC:\r\nD:   \r\nE: x\ty\r\n!#$%&'*+-.^_`|~09az: \"(:;<>@)\"\r\n");
    EXPECT_EQ(head.request.header("a"), "b");
    EXPECT_EQ(head.request.header("b"), "c d");
    EXPECT_EQ(head.request.header("c"), "");
    EXPECT_TRUE(head.request.has_header("d"));
    EXPECT_EQ(head.request.header("e"), "x\ty");
    EXPECT_EQ(head.request.header("!#$%&'*+-.^_`|~09AZ"), "\"(:;<>@)\"");
    EXPECT_EQ(head.request.headers.size(), 7U);
}

TEST(FramingGuard, tells_how_the_body_is_framed) {
    EXPECT_EQ(read_lines("").body, BodyKind::none);
    EXPECT_EQ(read_lines("Content-Length: 0\r\n").body, BodyKind::none);
    EXPECT_EQ(read_lines("Content-Length: 000\r\n").body, BodyKind::none);
    EXPECT_EQ(read_lines("content-length: 12\r\n").body, BodyKind::sized);
    EXPECT_EQ(read_lines("CONTENT-LENGTH:\t0012 \r\n").content_length, 12U);
    EXPECT_EQ(read_lines("Content-Length: 9223372036854775807\r\n").content_length, 9223372036854775807U);
    EXPECT_EQ(read_lines("Transfer-Encoding: chunked\r\n").body, BodyKind::chunked);
    EXPECT_EQ(read_lines("TRANSFER-ENCODING:CHUNKED\r\n").body, BodyKind::chunked);
}

TEST(FramingGuard, tells_whether_the_connection_stays) {
    EXPECT_TRUE(read_lines("").keep_alive);
    EXPECT_FALSE(read_lines("Connection: close\r\n").keep_alive);
    EXPECT_FALSE(read_lines("Connection: x, Close\r\n").keep_alive);
    EXPECT_FALSE(read_lines("Connection: keep-alive\r\nConnection: close\r\n").keep_alive);
    EXPECT_TRUE(read_lines("Connection: closed\r\n").keep_alive);
    EXPECT_TRUE(read_lines("Connection: ,\r\n").keep_alive);
    EXPECT_FALSE(read("GET / HTTP/1.0\r\nHost: a\r\n\r\n").keep_alive);
    EXPECT_TRUE(read("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    EXPECT_FALSE(read("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
}

TEST(FramingGuard, knows_100_continue_in_1_1_only) {
    EXPECT_TRUE(read_lines("Expect: 100-Continue\r\n").expects_continue);
    EXPECT_FALSE(read_lines("").expects_continue);
    EXPECT_FALSE(read("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").expects_continue);
}

TEST(FramingGuard, forgives_two_empty_lines_before_the_request) {
    EXPECT_EQ(read("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n").request.path, "/a");
    EXPECT_EQ(read("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n").request.path, "/a");
}

TEST(FramingGuard, forgets_the_last_head_when_it_reads_into_the_same) {
    Head head;
    const std::string first = "POST /a?b HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
    const std::string second = "GET /c HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_TRUE(read_head(first, {}, head).has_value());
    ASSERT_TRUE(read_head(second, {}, head).has_value());
    EXPECT_EQ(head.request.headers.size(), 1U);
    EXPECT_EQ(head.request.query, "");
    EXPECT_EQ(head.content_length, 0U);
    EXPECT_EQ(head.body, BodyKind::none);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(head.http_1_0);
}

}  // namespace millrace::framing
