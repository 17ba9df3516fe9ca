// What every reply has, and how replies follow each other on one connection.
#include "fixture.hpp"

namespace millrace::http {

TEST_F(HttpServer, keeps_a_connection_for_many_requests) {
    start();
    Client c = client();
    for (int i = 0; i < 100; ++i) {
        const auto answer = c.ask(get("/" + std::to_string(i)));
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "GET /" + std::to_string(i) + " ");
        EXPECT_FALSE(answer->headers.contains("connection"));
    }
    on_loop([&] { EXPECT_EQ(server->connections(), 1U); });
}

TEST_F(HttpServer, gives_every_reply_date_length_and_id) {
    start();
    Client c = client();
    const auto answer = c.ask(get("/"));
    ASSERT_TRUE(answer);
    const auto date = message::parse_http_date(answer->headers.at("date"));
    ASSERT_TRUE(date);
    EXPECT_LT(std::chrono::abs(*date - net::wall_now()), std::chrono::seconds(5));
    EXPECT_EQ(answer->headers.at("content-length"), "6");
    EXPECT_EQ(answer->headers.at("server"), "millrace");
    EXPECT_EQ(answer->headers.at("x-request-id").size(), 32U);
    EXPECT_NE(answer->headers.at("x-request-id"), c.ask(get("/"))->headers.at("x-request-id"));
}

TEST_F(HttpServer, echoes_a_valid_request_id_only) {
    start();
    Client c = client();
    EXPECT_EQ(c.ask(get("/", "X-Request-Id: abc-1\r\n"))->headers.at("x-request-id"), "abc-1");
    const std::string longest(128, 'i');
    EXPECT_EQ(c.ask(get("/", "X-Request-Id: " + longest + "\r\n"))->headers.at("x-request-id"), longest);
    EXPECT_EQ(c.ask(get("/", "X-Request-Id: " + longest + "i\r\n"))->headers.at("x-request-id").size(), 32U);
    EXPECT_EQ(c.ask(get("/", "X-Request-Id: a b\r\n"))->headers.at("x-request-id").size(), 32U);
    EXPECT_EQ(c.ask(get("/", "X-Request-Id:\r\n"))->headers.at("x-request-id").size(), 32U);
}

TEST_F(HttpServer, answers_pipelined_requests_in_order_and_together) {
    start();
    Client c = client();
    std::string requests;
    for (int i = 0; i < 50; ++i)
        requests += i % 3 == 0 ? post("/" + std::to_string(i), "Content-Length: 3\r\n", "abc") : get("/" + std::to_string(i));
    c.send(requests);
    for (int i = 0; i < 50; ++i) {
        const auto answer = c.read();
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(answer->body, (i % 3 == 0 ? "POST /" : "GET /") + std::to_string(i) + (i % 3 == 0 ? " abc" : " "));
    }
    EXPECT_LE(c.receives(), 10U);
}

TEST_F(HttpServer, sends_a_finished_reply_while_the_next_request_waits) {
    start();
    Client c = client();
    c.send(get("/first") + get("/wait") + get("/third"));
    EXPECT_EQ(c.read()->body, "GET /first ");
    ASSERT_TRUE(eventually([&] { return mirror.waiting == 1; }));
    open_gate();
    EXPECT_EQ(c.read()->body, "GET /wait ");
    EXPECT_EQ(c.read()->body, "GET /third ");
}

TEST_F(HttpServer, sends_a_finished_reply_while_the_next_request_is_incomplete) {
    start();
    Client c = client();
    c.send(get("/first") + "GET /sec");
    EXPECT_EQ(c.read()->body, "GET /first ");
    c.send("ond HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    c.send("y" + post("/third", "Content-Length: 1\r\n"));
    EXPECT_EQ(c.read()->body, "GET /second xy");
    c.send("z");
    EXPECT_EQ(c.read()->body, "POST /third z");
}

TEST_F(HttpServer, takes_a_head_byte_by_byte_with_empty_lines_before_it) {
    start();
    Client c = client();
    c.send_byte_by_byte("\r\n" + get("/slowly", "X-Long: " + std::string(3000, 'x') + "\r\n") + "\r\n" + get("/again"));
    EXPECT_EQ(c.read()->body, "GET /slowly ");
    EXPECT_EQ(c.read()->body, "GET /again ");
}

TEST_F(HttpServer, answers_head_without_a_body_or_its_length) {
    start();
    Client c = client();
    c.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/y"));
    const auto answer = c.read(true);
    EXPECT_FALSE(answer->headers.contains("content-length"));
    EXPECT_EQ(c.read()->body, "GET /y ");
}

TEST_F(HttpServer, gives_204_and_304_neither_body_nor_length) {
    start();
    Client c = client();
    for (const char* path : {"/204", "/304"}) {
        const auto answer = c.ask(get(path));
        ASSERT_TRUE(answer);
        EXPECT_FALSE(answer->headers.contains("content-length"));
        EXPECT_EQ(c.ask(get("/after"))->body, "GET /after ");
    }
}

TEST_F(HttpServer, lets_no_handler_frame_the_message) {
    start();
    Client c = client();
    const auto answer = c.ask(get("/own"));  // the client refuses a field that comes twice
    EXPECT_EQ(answer->body, "GET /own ");
    EXPECT_FALSE(answer->headers.contains("transfer-encoding"));
    EXPECT_FALSE(answer->headers.contains("connection"));
    EXPECT_NE(answer->headers.at("x-request-id"), "mine");
    EXPECT_EQ(answer->headers.at("data"), "kept");
}

TEST_F(HttpServer, closes_when_either_side_says_so) {
    start();
    struct Row {
        std::string request;
        std::optional<std::string> connection;
    };
    const std::vector<Row> table = {
        {get("/", "Connection: close\r\n"), "close"},
        {get("/close"), "close"},
        {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "close"},
        {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "keep-alive"},
        {get("/"), std::nullopt},
    };
    for (const auto& [request, connection] : table) {
        Client c = client();
        const auto answer = c.ask(request);
        ASSERT_TRUE(answer);
        const auto said = answer->headers.find("connection");
        EXPECT_EQ(said == answer->headers.end() ? std::nullopt : std::optional(said->second), connection);
        if (connection == "close") {
            EXPECT_TRUE(c.ended());
        } else {
            EXPECT_TRUE(c.ask(get("/")));
        }
    }
}

TEST_F(HttpServer, reads_no_request_behind_the_last) {
    start();
    Client c = client();
    c.send(get("/a", "Connection: close\r\n") + get("/b"));
    EXPECT_EQ(c.read()->body, "GET /a ");
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, answers_a_client_that_has_finished_sending) {
    start();
    Client c = client();
    c.send(get("/a") + get("/b"));
    c.finish_sending();
    EXPECT_EQ(c.read()->body, "GET /a ");
    EXPECT_EQ(c.read()->body, "GET /b ");
    EXPECT_TRUE(c.ended());
}

TEST_F(HttpServer, sends_bodies_of_any_size_also_beyond_what_the_socket_takes_at_once) {
    start();
    for (const std::size_t size : {0UL, 1UL, 8191UL, 8192UL, 8193UL, 70'000UL, 30'000'000UL}) {
        Client c = client();
        c.send(get("/first") + get("/bytes?" + std::to_string(size)) + get("/last"));
        EXPECT_EQ(c.read()->body, "GET /first ");
        const auto answer = c.read();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body, std::string(size, 'b'));
        EXPECT_EQ(c.read()->body, "GET /last ");
    }
}

TEST_F(HttpServer, answers_500_when_a_handler_throws_and_goes_on_serving) {
    expected_fallen = {"a bug", "a bug"};
    start();
    for (const char* path : {"/throw", "/throw-at-once"}) {
        Client c = client();
        const auto answer = c.ask(get(path));
        EXPECT_EQ(answer->status, 500);
        EXPECT_NE(answer->body.find("MR999"), std::string::npos);
        EXPECT_TRUE(c.ended());
    }
    EXPECT_EQ(client().ask(get("/"))->status, 200);
}

TEST_F(HttpServer, reports_each_request_with_its_sizes) {
    start();
    Client c = client();
    const std::string request = post("/x?y", "Content-Length: 3\r\nX-Request-Id: 7\r\n", "abc");
    c.ask(request);
    c.ask(get("/bytes?100000"));
    c.close();
    stop();
    ASSERT_EQ(recorder.finished.size(), 2U);
    const Finished& first = recorder.finished[0];
    EXPECT_EQ(first.id, "7");
    EXPECT_EQ(first.path, "/x");
    EXPECT_EQ(first.peer, "127.0.0.1");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.bytes_in, request.size());
    EXPECT_GT(first.total, Duration::zero());
    EXPECT_GT(recorder.finished[1].bytes_out, 100'000U);
    EXPECT_EQ(recorder.opened, 1);
}

TEST_F(HttpServer, reports_nothing_where_nothing_is_wanted) {
    options.emit_requests = false;
    start();
    client().ask(get("/"));
    client().ask("nonsense\r\n\r\n");
    stop();
    EXPECT_TRUE(recorder.finished.empty());
    EXPECT_TRUE(recorder.refused.empty());
    EXPECT_EQ(recorder.opened, 0);
}

}  // namespace millrace::http
