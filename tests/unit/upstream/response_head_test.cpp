// Answers of services: read one way or not at all.
#include <gtest/gtest.h>

#include <millrace/core/upstream.hpp>

namespace millrace::upstream {
namespace {

using message::Method;

Result<Head> read(const std::string& lines, Method asked = Method::get, const routes::UpstreamPolicy& policy = {}) {
    return read_head(lines + "\r\n", asked, policy);
}

constexpr const char* ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST(UpstreamAnswer, is_framed_by_rfc_9112) {
    struct Case {
        const char* lines;
        BodyKind body;
        std::uint64_t length;
        bool keep_alive;
    };
    const Case cases[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n", BodyKind::sized, 7, true},
                          {"HTTP/1.1 200\r\nContent-Length: 0\r\n", BodyKind::none, 0, true},
                          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", BodyKind::chunked, 0, true},
                          {"HTTP/1.1 200 OK\r\n", BodyKind::to_end, 0, false},
                          {"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n", BodyKind::none, 0, true},
                          {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n", BodyKind::none, 0, true},
                          {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n", BodyKind::sized, 7, false},
                          {"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n", BodyKind::sized, 7, false},
                          {"HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n", BodyKind::sized, 7, true}};
    for (const Case& c : cases) {
        const auto head = read(c.lines);
        ASSERT_TRUE(head) << c.lines;
        EXPECT_EQ(head->body, c.body) << c.lines;
        EXPECT_EQ(head->keep_alive, c.keep_alive) << c.lines;
        if (c.body == BodyKind::sized) {
            EXPECT_EQ(head->length, c.length) << c.lines;
        }
    }
    EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n", Method::head)->body, BodyKind::none);
}

TEST(UpstreamAnswer, is_refused_when_it_can_be_read_in_two_ways) {
    for (const char* bad : {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 8\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 7, 7\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
                            "HTTP/1.1 200 OK\r\nNo field\r\n",
                            "HTTP/1.1 200 OK\r\nSpaced : 1\r\n",
                            "HTTP/1.1 200 OK\r\n folded\r\n",
                            "HTTP/1.1 200 OK\r\nA: b\rc\r\n",
                            "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n",
                            "HTTP/2 200 OK\r\n",
                            "HTTP/1.1 20 OK\r\n",
                            "HTTP/1.1 2000 OK\r\n",
                            "HTTP/1.1 099 OK\r\n",
                            "HTTP/1.1 600 OK\r\n",
                            "SSH-2.0-OpenSSH\r\n",
                            "\r\n"})
        EXPECT_FALSE(read(bad)) << bad;
    EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n"));
}

TEST(UpstreamAnswer, is_given_up_as_soon_as_it_cannot_become_one) {
    EXPECT_FALSE(*head_length("HTTP/1.1 200 OK\r\nA: b\r\n"));
    EXPECT_EQ(**head_length("HTTP/1.1 200 OK\r\n\r\nbody"), 19U);
    EXPECT_FALSE(*head_length("HTT"));
    EXPECT_FALSE(head_length("SSH-"));
    EXPECT_FALSE(head_length("HTTP/1.1 200 OK\r\n" + std::string(head_bytes_max, 'a')));
}

TEST(UpstreamAnswer, comes_back_without_what_is_one_connections_or_ours) {
    routes::UpstreamPolicy policy;
    policy.remove_headers = {"X-Powered-By"};
    const auto head =
        read(std::string(ok) +
                 "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nServer: x\r\nx-powered-by: y\r\nX-Request-Id: z\r\n"
                 "Access-Control-Allow-Origin: *\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
                 "Content-Length: 1\r\n",
             Method::get, policy);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->headers.lines(), "Content-Type: text/plain\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nVia: 1.1 millrace\r\n");
}

TEST(UpstreamAnswer, that_hides_its_caching_is_kept_by_it_all_the_same) {
    routes::UpstreamPolicy policy;
    policy.remove_headers = {"Cache-Control"};
    const auto head =
        read(std::string(ok) + "Cache-Control: max-age=60\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", Method::get, policy);
    EXPECT_EQ(head->caching.max_age_s, 60U);
    EXPECT_TRUE(head->caching.date);
    EXPECT_TRUE(head->headers.get("Cache-Control").empty());
}

}  // namespace millrace::upstream
