// What is refused, and what the client gets to read before the connection ends.
#include <algorithm>

#include "fixture.hpp"

namespace millrace::http {

TEST_F(HttpServer, answers_each_refusal_with_its_status_and_a_json_error_and_closes) {
    start();
    struct Row {
        std::string request;
        int status;
        std::string code;
    };
    const std::string chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<Row> table = {
        {"GET / HTTP/1.1\r\n\r\n", 400, "MR002"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "MR002"},
        {get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400, "MR001"},
        {get("/", "Content-Length: +1\r\n"), 400, "MR001"},
        {get("/", "Transfer-Encoding: gzip\r\n"), 501, "MR007"},
        {get("/", " folded: 1\r\n"), 400, "MR001"},
        {"GET / HTTP/1.1\nHost: a\n\n", 400, "MR001"},
        {"\x16\x03\x01", 400, "MR001"},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "MR008"},
        {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "MR008"},
        {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "MR001"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "MR009"},
        {get("/", "Expect: something\r\n"), 417, "MR011"},
        {get("/" + std::string(9000, 'a')), 414, "MR004"},
        {get("/", "A: " + std::string(20'000, 'a') + "\r\n"), 431, "MR003"},
        {"GET /" + std::string(20'000, 'a'), 414, "MR004"},
        {chunks + "x", 400, "MR001"},
        {chunks + "1\na", 400, "MR001"},
        {chunks + "1;" + std::string(300, 'e'), 400, "MR001"},
        {chunks + "0\r\nTrailer : 1\r\n\r\n", 400, "MR001"},
        {chunks + "0\r\nT: " + std::string(5000, 't'), 431, "MR003"},
    };
    for (const auto& [request, status, code] : table) {
        Client c = client();
        const auto answer = c.ask(request);
        ASSERT_TRUE(answer) << request.substr(0, 100);
        EXPECT_EQ(answer->status, status) << request.substr(0, 100);
        EXPECT_TRUE(answer->body.starts_with("{\"code\":\"" + code + "\",")) << answer->body;
        for (const char* member : {"\"message\":", "\"details\":", "\"hint\":"})
            EXPECT_NE(answer->body.find(member), std::string::npos);
        EXPECT_EQ(answer->headers.at("content-type"), "application/json; charset=utf-8");
        EXPECT_EQ(answer->headers.at("connection"), "close");
        EXPECT_TRUE(message::parse_http_date(answer->headers.at("date")));
        EXPECT_EQ(answer->headers.at("x-request-id").size(), 32U);
        EXPECT_TRUE(c.ended());
    }
    stop();
    EXPECT_EQ(recorder.refused.size(), table.size());
    EXPECT_TRUE(recorder.finished.empty());
}

TEST_F(HttpServer, answers_what_came_before_a_refused_request) {
    start();
    Client c = client();
    c.send(get("/a") + "HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n" + "\x01");
    EXPECT_EQ(c.read()->body, "GET /a ");
    EXPECT_EQ(c.read(true)->status, 200);
    const auto refusal = c.read();
    EXPECT_EQ(refusal->status, 400);
    EXPECT_NE(refusal->body.find("MR001"), std::string::npos);
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, refuses_more_header_fields_than_its_limit) {
    options.http.headers_max = 5;
    start();
    EXPECT_EQ(client().ask(get("/", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"))->status, 200);
    EXPECT_EQ(client().ask(get("/", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n"))->status, 431);
}

TEST_F(HttpServer, cuts_a_head_that_comes_too_slowly_while_it_serves_others) {
    options.http.head_timeout_ms = 200;
    start();
    Client slow = client(), other = client();
    slow.send("GET / HT");
    const TimePoint began = net::now();
    int served = 0;
    while (net::now() - began < std::chrono::milliseconds(150)) {
        ASSERT_EQ(other.ask(get("/"))->status, 200);
        slow.send("T");
        ++served;
    }
    EXPECT_GT(served, 10);
    const auto answer = slow.read();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->status == 408 || answer->status == 400) << answer->status;
    EXPECT_TRUE(slow.gone());
}

TEST_F(HttpServer, answers_408_when_the_head_stops_coming) {
    options.http.head_timeout_ms = 100;
    start();
    Client c = client();
    EXPECT_EQ(c.ask(get("/"))->status, 200);
    const auto answer = c.ask("GET / HTTP/1.1\r\nHos");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408);
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, answers_408_when_the_body_stops_coming) {
    options.http.body_timeout_ms = 100;
    start();
    for (const std::string& request :
         {post("/x", "Content-Length: 5\r\n", "abc"), post("/large", "Content-Length: 50000\r\n", "abc"),
          post("/x", "Transfer-Encoding: chunked\r\n", "5\r\nabc")}) {
        Client c = client();
        const auto answer = c.ask(request);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 408);
        EXPECT_TRUE(c.ended());
    }
    stop();
    EXPECT_EQ(recorder.refused, std::vector<std::string>(3, "MR010"));
}

TEST_F(HttpServer, ends_an_idle_connection_in_silence) {
    options.http.idle_timeout_ms = 100;
    start();
    Client fresh = client(), used = client();
    EXPECT_EQ(used.ask(get("/"))->status, 200);
    EXPECT_TRUE(fresh.ended());
    EXPECT_TRUE(used.ended());
    stop();
    EXPECT_TRUE(recorder.refused.empty());
}

TEST_F(HttpServer, cuts_a_client_that_does_not_read_its_reply) {
    options.http.write_timeout_ms = 100;
    start();
    Client c = client();
    c.receive_little();
    c.send(get("/bytes?50000000"));
    ASSERT_TRUE(eventually([&] { return server->connections() == 1; }));
    EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

TEST_F(HttpServer, tells_a_connection_over_the_limit_and_closes_it) {
    options.http.connections_max = 2;
    start();
    Client first = client(), second = client();
    EXPECT_EQ(first.ask(get("/"))->status, 200);
    EXPECT_EQ(second.ask(get("/"))->status, 200);
    Client third = client();
    const auto answer = third.ask(get("/"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(answer->headers.at("retry-after"), "1");
    EXPECT_TRUE(third.ended());
    first.close();
    third.close();
    ASSERT_TRUE(eventually([&] { return server->connections() == 1; }));
    EXPECT_EQ(client().ask(get("/"))->status, 200);
}

TEST_F(HttpServer, survives_clients_that_leave_at_any_moment) {
    start();
    const std::string request = post("/x", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
    for (std::size_t length = 0; length <= request.size(); ++length) client().send(request.substr(0, length));
    {
        Client c = client();
        c.send(get("/wait"));
        ASSERT_TRUE(eventually([&] { return mirror.waiting == 1; }));
    }
    open_gate();
    EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
    EXPECT_EQ(client().ask(get("/"))->status, 200);
}

}  // namespace millrace::http
