// Opening, thousands of idle connections, running out of descriptors, and the two steps of the end.
#include <sys/resource.h>

#include <fstream>

#include "fixture.hpp"

namespace millrace::http {
namespace {

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * 4096;
}

class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t limit) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit wanted{std::min(limit, before_.rlim_max), before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &wanted);
    }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

private:
    rlimit before_{};
};

}  // namespace

TEST_F(HttpServer, two_servers_share_a_port) {
    start();
    ServerOptions same = options;
    same.listen.port = port;
    on_loop([&] {
        Server second(io, same, mirror, recorder);
        const auto opened = second.open();
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(*opened, port);
    });
}

TEST_F(HttpServer, says_why_it_cannot_listen) {
    for (const std::string address : {"nonsense", "203.0.113.1"}) {
        options.listen = {address, 0};
        Server other(io, options, mirror, recorder);
        const auto opened = other.open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_NE(opened.error().message.find(address), std::string::npos);
    }
}

// It has a shadow of all that is written.
#ifdef __has_feature
constexpr bool under_thread_sanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool under_thread_sanitizer = false;
#endif

TEST_F(HttpServer, holds_two_thousand_idle_connections_for_little_memory) {
    const DescriptorLimit limit(8192);
    start();
    client().ask(get("/"));
    const std::size_t before = resident_bytes();
    std::vector<Client> idle;
    for (int i = 0; i < 2000; ++i) {
        idle.push_back(client());
        ASSERT_TRUE(idle.back().connected());
        const bool used = i % 2 == 0;
        EXPECT_EQ(used ? idle.back().ask(get("/"))->status : 200, 200);
    }
    ASSERT_TRUE(eventually([&] { return server->connections() >= 2000; }));
    const std::size_t each = (resident_bytes() - before) / idle.size();
    EXPECT_TRUE(under_thread_sanitizer || each < 16U * 1024) << each;
    RecordProperty("bytes_per_idle_connection", std::to_string(each));
    EXPECT_EQ(client().ask(get("/"))->status, 200);
}

TEST_F(HttpServer, goes_on_accepting_after_it_ran_out_of_descriptors) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "UBSan's check of virtual calls opens a pipe and reports an error when there is no descriptor for it";
#endif
    start();
    Client first = client();
    EXPECT_EQ(first.ask(get("/"))->status, 200);
    const DescriptorLimit limit(256);
    std::vector<int> taken;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
    ASSERT_FALSE(taken.empty());
    ::close(taken.back());
    taken.pop_back();
    Client late = client();  // has the last descriptor: the kernel connects it, the server cannot accept it
    ASSERT_TRUE(late.connected());
    late.send(get("/late"));
    EXPECT_EQ(first.ask(get("/"))->status, 200);
    on_loop([&] { EXPECT_EQ(server->connections(), 1U); });
    for (int fd : taken) ::close(fd);
    EXPECT_EQ(late.read()->body, "GET /late ");
}

TEST_F(HttpServer, drains_idle_connections_at_once_and_lets_the_others_finish) {
    start();
    Client idle = client(), fresh = client(), busy = client(), half = client();
    EXPECT_EQ(idle.ask(get("/"))->status, 200);
    busy.send(get("/wait"));
    half.send("GET /half HTTP/1.1\r\nHo");
    ASSERT_TRUE(eventually([&] { return mirror.waiting == 1 && server->connections() == 4; }));
    on_loop([&] {
        server->stop_accepting();
        server->drain();
    });
    EXPECT_TRUE(idle.ended());
    EXPECT_TRUE(fresh.ended());
    EXPECT_FALSE(drained({net::now() + std::chrono::milliseconds(20)}));
    open_gate();
    const auto answer = busy.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers.at("connection"), "close");
    EXPECT_TRUE(busy.ended());
    const auto last = half.ask("st: a\r\n\r\n");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->status, 200);
    EXPECT_EQ(last->headers.at("connection"), "close");
    busy.close();
    half.close();
    EXPECT_TRUE(drained({net::now() + std::chrono::seconds(10)}));
    EXPECT_FALSE(client().connected());
}

TEST_F(HttpServer, answers_a_request_that_was_sent_before_the_drain) {
    start();
    for (int i = 0; i < 50; ++i) {
        if (i > 0) restart();
        Client c = client();
        EXPECT_EQ(c.ask(get("/"))->status, 200);
        on_loop([&] {  // the loop does not see the request before the drain, but the socket has it
            c.send(get("/late"));
            server->drain();
        });
        const auto answer = c.read();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body, "GET /late ");
        EXPECT_EQ(answer->headers.at("connection"), "close");
    }
}

TEST_F(HttpServer, aborts_whatever_is_left) {
    start();
    Client idle = client(), busy = client(), half = client(), unread = client();
    busy.send(get("/wait"));
    half.send(post("/x", "Content-Length: 10\r\n", "abc"));
    unread.receive_little();
    unread.send(get("/bytes?50000000"));
    ASSERT_TRUE(eventually([&] { return mirror.waiting == 1 && server->connections() == 4; }));
    on_loop([&] { server->abort(); });
    EXPECT_TRUE(drained({net::now() + std::chrono::seconds(10)}));
    for (Client* c : {&idle, &busy, &half, &unread}) EXPECT_TRUE(c->gone());
    on_loop([&] { EXPECT_EQ(server->connections(), 0U); });
}

TEST_F(HttpServer, may_go_with_its_loop_while_clients_are_connected) {
    start();
    Client idle = client(), busy = client();
    busy.send(get("/wait"));
    ASSERT_TRUE(eventually([&] { return mirror.waiting == 1 && server->connections() == 2; }));
    on_loop([&] {
        server.reset();
        io.stop();
    });
    work.reset();
    thread.join();
}

}  // namespace millrace::http
