// Bodies of requests that the handler reads piece by piece: all of them, and nothing of what follows.
#include "fixture.hpp"

namespace millrace::http {
namespace {

std::string pattern(std::size_t size) {
    std::string out(size, ' ');
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i * 7 % 23);
    return out;
}

std::string digest(const std::string& body) { return std::to_string(body.size()) + ' ' + std::to_string(text::hash64(body)); }

std::string sized(const std::string& target, const std::string& body) {
    return post(target, "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

std::string chunked(const std::string& target, const std::string& body, std::size_t step) {
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += step) {
        const std::string piece = body.substr(at, step);
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
        chunks += size + piece + "\r\n";
    }
    return post(target, "Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n");
}

const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

TEST_F(HttpServer, gives_a_body_of_any_size_to_who_reads_it) {
    start();
    Client c = client();
    for (const std::size_t size : {1UL, 1000UL, 2048UL, 65'536UL, 65'537UL, 300'000UL, 1'000'000UL}) {
        const std::string body = pattern(size);
        for (const std::string& request :
             {sized("/pieces", body), chunked("/pieces", body, 1000), chunked("/pieces", body, size)}) {
            const auto answer = c.ask(request);
            ASSERT_TRUE(answer) << size;
            EXPECT_TRUE(answer->body.ends_with(digest(body))) << size << answer->body;
        }
    }
}

TEST_F(HttpServer, gives_whole_what_came_with_its_head) {
    start();
    Client c = client();
    EXPECT_EQ(c.ask(sized("/pieces", "hello"))->body, "whole " + digest("hello"));
    EXPECT_EQ(c.ask(chunked("/pieces", "hello", 2))->body, "whole " + digest("hello"));
}

TEST_F(HttpServer, leaves_what_follows_a_body_that_came_byte_by_byte) {
    start();
    for (const std::string& request : {sized("/pieces", "hello world"), chunked("/pieces", "hello world", 3)}) {
        Client c = client();
        c.send_byte_by_byte(request + get("/y") + request + get("/z"));
        EXPECT_TRUE(c.read()->body.ends_with(digest("hello world")));
        EXPECT_EQ(c.read()->body, "GET /y ");
        EXPECT_TRUE(c.read()->body.ends_with(digest("hello world")));
        EXPECT_EQ(c.read()->body, "GET /z ");
    }
}

TEST_F(HttpServer, says_to_go_on_when_the_body_is_first_read) {
    start();
    Client c = client();
    c.send(post("/pieces", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(c.receive_until("\r\n\r\n"), go_on);
    c.send("hello");
    EXPECT_EQ(c.read()->body, digest("hello"));
    c.send(post("/pieces/none", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->headers.at("connection"), "close");
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, passes_over_a_short_body_that_nobody_reads) {
    start();
    Client c = client();
    c.send(post("/pieces/none", "Content-Length: 60000\r\n"));
    EXPECT_EQ(c.read()->body, digest(""));
    c.send(pattern(60'000) + get("/y"));
    EXPECT_EQ(c.read()->body, "GET /y ");
}

TEST_F(HttpServer, ends_the_connection_with_a_body_that_is_not_read_to_its_end) {
    start();
    const std::string body = pattern(200'000);
    for (const char* target : {"/pieces/some", "/pieces/none"})
        for (const std::string& request : {sized(target, body), chunked(target, body, 5000)}) {
            Client c = client();
            c.send(request.substr(0, 100'000));
            const auto answer = c.read();
            ASSERT_TRUE(answer);
            EXPECT_EQ(answer->headers.at("connection"), "close");
            EXPECT_TRUE(c.ended());
        }
}

TEST_F(HttpServer, tells_who_reads_it_that_a_body_is_too_large_or_malformed) {
    start();
    Client c = client();
    EXPECT_EQ(c.ask(post("/pieces", "Content-Length: 1000001\r\n"))->status, 413);
    for (const auto& [chunks, status] : {std::pair("f4241\r\n", 413), std::pair("zz\r\n", 400), std::pair("1\r\nab", 400)}) {
        Client at_once = client();
        EXPECT_EQ(at_once.ask(post("/pieces", "Transfer-Encoding: chunked\r\n", chunks))->status, status) << chunks;
        Client later = client();
        later.send(post("/pieces", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
        EXPECT_TRUE(eventually([&] { return mirror.parts > 0; }));
        later.send(chunks);
        EXPECT_EQ(later.read()->status, status) << chunks;
        EXPECT_TRUE(later.ended());
        mirror.parts = 0;
    }
}

TEST_F(HttpServer, has_patience_with_each_piece_of_a_body) {
    options.http.body_timeout_ms = 300;
    start();
    Client c = client();
    c.send(post("/pieces", "Content-Length: 100\r\n", "hello"));
    EXPECT_EQ(c.read()->status, 408);
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, counts_the_bytes_of_a_body_that_went_by_and_reports_who_left_amid_one) {
    start();
    Client c = client();
    const std::string request = chunked("/pieces", pattern(100'000), 100'000);
    EXPECT_EQ(c.ask(request)->status, 200);
    const int before = mirror.parts;
    c.send(post("/pieces", "Content-Length: 100\r\n", "hello"));
    EXPECT_TRUE(eventually([&] { return mirror.parts > before; }));
    c.close();
    EXPECT_TRUE(eventually([&] { return recorder.read([](auto& r) { return r.finished.size() == 2; }); }));
    recorder.read([&](auto& r) {
        EXPECT_GE(r.finished[0].bytes_in, 100'000U);
        EXPECT_EQ(r.finished[1].status, 499);
        EXPECT_LT(r.finished[1].bytes_in, 1000U);
    });
}

}  // namespace millrace::http
