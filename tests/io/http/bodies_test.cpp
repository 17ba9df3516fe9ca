// Request bodies: sized and chunked, in any pieces, up to the limit that the route has.
#include "fixture.hpp"

namespace millrace::http {
namespace {

std::string chunked(const std::string& target, const std::string& chunks) {
    return post(target, "Transfer-Encoding: chunked\r\n", chunks);
}

std::string chunk(const std::string& data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
}

std::string pattern(std::size_t size) {
    std::string out(size, ' ');
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i * 7 % 23);
    return out;
}

std::string digest(const std::string& body) { return std::to_string(body.size()) + ' ' + std::to_string(text::hash64(body)); }

}  // namespace

TEST_F(HttpServer, reads_sized_bodies_of_any_size) {
    start();
    Client c = client();
    for (const std::size_t size : {0UL, 1UL, 1000UL, 1990UL, 2048UL, 5000UL, 16'384UL, 100'000UL, 3'000'000UL}) {
        const std::string body = pattern(size);
        const auto answer = c.ask(post("/large", "Content-Length: " + std::to_string(size) + "\r\n", body));
        ASSERT_TRUE(answer) << size;
        EXPECT_EQ(answer->body, digest(body));
    }
}

TEST_F(HttpServer, reads_a_sized_body_byte_by_byte_with_a_request_behind_it) {
    start();
    Client c = client();
    c.send_byte_by_byte(post("/x", "Content-Length: 11\r\n", "hello world") + get("/y"));
    EXPECT_EQ(c.read()->body, "POST /x hello world");
    EXPECT_EQ(c.read()->body, "GET /y ");
}

TEST_F(HttpServer, decodes_a_chunked_body_in_odd_pieces) {
    start();
    const std::string request =
        chunked("/x", "5\r\nhello\r\n1;ext=\"v\"\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n") + get("/y");
    for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, 64UL, 1000UL}) {
        Client c = client();
        for (std::size_t at = 0; at < request.size(); at += step) c.send(std::string_view(request).substr(at, step));
        EXPECT_EQ(c.read()->body, "POST /x hello world") << step;
        EXPECT_EQ(c.read()->body, "GET /y ") << step;
    }
}

TEST_F(HttpServer, decodes_a_large_chunked_body_behind_a_head_that_fills_its_buffer) {
    start();
    Client c = client();
    const std::string body = pattern(300'000);
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += 999) chunks += chunk(body.substr(at, 999));
    for (const std::size_t padding : {10UL, 1900UL, 1950UL, 2000UL, 3990UL, 9000UL}) {
        const std::string lines = "X-Padding: " + std::string(padding, 'p') + "\r\nTransfer-Encoding: chunked\r\n";
        const auto answer = c.ask(post("/large", lines, chunks + "0\r\n\r\n"));
        ASSERT_TRUE(answer) << padding;
        EXPECT_EQ(answer->body, digest(body));
    }
}

TEST_F(HttpServer, refuses_a_body_over_the_routes_limit) {
    start();
    struct Row {
        std::string request;
        int status;
    };
    const std::vector<Row> table = {
        {post("/x", "Content-Length: 20000\r\n", pattern(20'000)), 200},
        {post("/x", "Content-Length: 20001\r\n"), 413},
        {post("/x", "Content-Length: 9223372036854775807\r\n"), 413},
        {post("/x", "Content-Length: 20001\r\nExpect: 100-continue\r\n"), 413},
        {chunked("/x", chunk(pattern(20'000)) + "0\r\n\r\n"), 200},
        {chunked("/x", "4e21\r\n"), 413},
        {chunked("/x", chunk(pattern(20'000)) + "1\r\n"), 413},
    };
    for (const auto& [request, status] : table) {
        Client c = client();
        const auto answer = c.ask(request);
        ASSERT_TRUE(answer) << request.substr(0, 100);
        EXPECT_EQ(answer->status, status) << request.substr(0, 100);
        if (status != 413) continue;
        EXPECT_NE(answer->body.find("MR005"), std::string::npos);
        EXPECT_TRUE(c.ended());
    }
}

TEST_F(HttpServer, lets_a_client_read_413_that_goes_on_sending) {
    start();
    Client c = client();
    c.send(post("/x", "Content-Length: 500000\r\n", pattern(500'000)));
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpServer, invites_the_body_when_the_client_waits_for_it) {
    start();
    Client c = client();
    for (const std::string framing : {"Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"}) {
        const auto invitation = c.ask(post("/x", "Expect: 100-continue\r\n" + framing));
        ASSERT_TRUE(invitation);
        EXPECT_EQ(invitation->status, 100);
        EXPECT_EQ(c.ask(framing.starts_with('C') ? "hi" : "2\r\nhi\r\n0\r\n\r\n")->body, "POST /x hi");
    }
    EXPECT_EQ(c.ask(post("/x", "Expect: 100-continue\r\nContent-Length: 2\r\n", "hi"))->status, 200);  // it did not wait
    EXPECT_EQ(c.ask(post("/x", "Expect: 100-continue\r\n"))->status, 200);                             // it has none
}

TEST_F(HttpServer, sends_earlier_replies_before_it_waits_for_a_body) {
    start();
    Client c = client();
    c.send(get("/a") + post("/b", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(c.read()->body, "GET /a ");
    EXPECT_EQ(c.read()->status, 100);
    EXPECT_EQ(c.ask("hi")->body, "POST /b hi");
}

}  // namespace millrace::http
