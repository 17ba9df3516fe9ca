// Bodies that are sent while they are made: in chunks, as fast as the client takes them, and never mistaken for whole.
#include "fixture.hpp"

namespace millrace::http {
namespace {

// All bytes until the server ends the connection.
std::string all(Client& c) {
    std::string bytes;
    while (auto more = c.receive_some()) bytes += *more;
    return bytes;
}

constexpr Duration look_every_at_most = std::chrono::milliseconds(300);

}  // namespace

TEST_F(HttpServer, sends_a_body_of_unknown_length_in_chunks) {
    start();
    Client c = client();
    c.send(get("/parts?3"));
    const std::string bytes = c.receive_until("0\r\n\r\n");
    EXPECT_NE(bytes.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(bytes.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n2\r\n0,\r\n2\r\n1,\r\n2\r\n2,\r\n0\r\n\r\n")) << bytes;
    EXPECT_EQ(c.ask(get("/"))->status, 200);
}

TEST_F(HttpServer, ends_the_connection_where_there_are_no_chunks) {
    start();
    Client c = client();
    c.send("GET /parts?3 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    const std::string bytes = all(c);
    EXPECT_EQ(bytes.find("Transfer-Encoding"), std::string::npos);
    EXPECT_NE(bytes.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n0,1,2,")) << bytes;
}

TEST_F(HttpServer, a_body_that_breaks_has_no_last_chunk) {
    start();
    Client c = client();
    c.send(get("/broken?2"));
    const std::string bytes = all(c);
    EXPECT_NE(bytes.find("\r\n\r\n2\r\n0,"), std::string::npos) << bytes;
    EXPECT_FALSE(bytes.ends_with("0\r\n\r\n"));
}

TEST_F(HttpServer, makes_no_more_of_a_body_than_the_client_takes) {
    options.http.write_timeout_ms = 300;
    start();
    Client c = client();
    c.receive_little();
    c.send(get("/parts?2000000"));
    EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
    EXPECT_LT(mirror.parts, 10'000);
}

TEST_F(HttpServer, a_client_that_leaves_ends_what_it_asked_for) {
    start();
    {
        Client c = client();
        c.send(get("/wait"));
        EXPECT_TRUE(eventually([&] { return mirror.waiting == 1; }));
    }
    EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
    EXPECT_EQ(recorder.read([](const Recorder& r) { return r.finished.back().status; }), 499);
}

TEST_F(HttpServer, a_write_goes_on_without_its_client) {
    start();
    {
        Client c = client();
        c.send(post("/wait", "Content-Length: 2\r\n", "ab"));
        EXPECT_TRUE(eventually([&] { return mirror.waiting == 1; }));
    }
    const TimePoint until = net::now() + 2 * look_every_at_most;
    EXPECT_TRUE(eventually([&] { return net::now() > until; }));
    on_loop([&] { EXPECT_EQ(server->connections(), 1U); });
    open_gate();
    EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

}  // namespace millrace::http
