// Whose request it is when proxies stand between: a connection's PROXY header, and what trusted ones forward.
#include <algorithm>

#include "fixture.hpp"

namespace millrace::http {
namespace {

using namespace std::string_literals;

peer::Networks networks(std::vector<std::string> texts) {
    auto read = peer::Networks::parse(texts);
    EXPECT_TRUE(read.has_value());
    return *read;
}

const std::string text_header = "PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n";
const std::string binary_start = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string binary_header = binary_start + "\x21\x21\0\x24"s + "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x09"s +
                                  std::string(16, 'b') + "\xDC\x04\x01\xBB"s;
const std::string local_header = binary_start + "\x20\0\0\0"s;

class Proxies : public HttpServer {
protected:
    // Whose each request was, once all have ended.
    std::vector<std::string> peers() {
        stop();
        std::vector<std::string> found;
        for (const Finished& finished : recorder.finished) found.push_back(finished.peer);
        return found;
    }
};

}  // namespace

TEST_F(Proxies, name_the_client_of_a_connection) {
    options.send_proxy = networks({"127.0.0.1"});
    start();
    for (const std::string& header : {text_header, binary_header, local_header, "PROXY UNKNOWN\r\n"s}) {
        Client c = client();
        EXPECT_TRUE(c.send(header + get("/a") + get("/b")));
        EXPECT_EQ(c.read()->status, 200);
        EXPECT_EQ(c.read()->status, 200);
        EXPECT_EQ(c.ask(get("/c"))->status, 200);
    }
    const std::vector<std::string> expected{"203.0.113.9", "203.0.113.9", "203.0.113.9", "2001:db8::9",
                                            "2001:db8::9", "2001:db8::9", "127.0.0.1",   "127.0.0.1",
                                            "127.0.0.1",   "127.0.0.1",   "127.0.0.1",   "127.0.0.1"};
    EXPECT_EQ(peers(), expected);
    EXPECT_TRUE(recorder.refused.empty());
}

TEST_F(Proxies, may_send_their_header_in_pieces) {
    options.send_proxy = networks({"127.0.0.0/8"});
    start();
    for (const std::string& header : {text_header, binary_header}) {
        Client c = client();
        c.send_byte_by_byte(header + get("/"));
        EXPECT_EQ(c.read()->status, 200);
    }
    EXPECT_EQ(peers(), (std::vector<std::string>{"203.0.113.9", "2001:db8::9"}));
}

TEST_F(Proxies, that_do_not_begin_with_their_header_are_answered_nothing) {
    options.send_proxy = networks({"127.0.0.1"});
    options.http.head_timeout_ms = 300;
    start();
    const std::vector<std::string> wrong{get("/"), "PROXY TCP4 203.0.113.9\r\n" + get("/"),
                                         binary_header.substr(0, 12) + "\x11\x11"s, text_header.substr(0, 20), ""};
    for (const std::string& bytes : wrong) {
        Client c = client();
        c.send(bytes);
        EXPECT_TRUE(c.gone());  // the last two when their time is over
    }
    EXPECT_TRUE(peers().empty());
    EXPECT_EQ(recorder.refused, std::vector<std::string>(wrong.size(), "proxy"));
}

TEST_F(Proxies, may_look_whether_the_port_is_open) {
    options.send_proxy = networks({"127.0.0.1"});
    start();
    {
        Client c = client();
        c.finish_sending();
        EXPECT_TRUE(c.ended());
    }
    {
        Client c = client();
        EXPECT_TRUE(c.send(local_header));
        c.finish_sending();
        EXPECT_TRUE(c.ended());
    }
    stop();
    EXPECT_TRUE(recorder.refused.empty());
}

TEST_F(Proxies, that_are_not_listed_cannot_name_anybody) {
    options.send_proxy = networks({"127.0.0.2"});
    options.trusted = networks({"127.0.0.2"});
    start();
    EXPECT_EQ(client().ask(text_header + get("/"))->status, 400);
    Client c = client();
    EXPECT_EQ(c.ask(get("/a", "X-Forwarded-For: 203.0.113.9\r\n"))->status, 200);
    EXPECT_EQ(c.ask(get("/b", "Forwarded: for=203.0.113.9\r\n"))->status, 200);
    EXPECT_EQ(peers(), (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}));
}

TEST_F(Proxies, that_are_trusted_name_the_client_of_each_request) {
    options.trusted = networks({"127.0.0.1"});
    start();
    Client c = client();
    for (const char* lines : {"X-Forwarded-For: 203.0.113.9\r\n", "", "Forwarded: for=\"[2001:db8::9]:80\"\r\n",
                              "X-Forwarded-For: 203.0.113.9, unknown\r\n"})
        EXPECT_EQ(c.ask(get("/aa", lines))->status, 200);
    EXPECT_EQ(peers(), (std::vector<std::string>{"203.0.113.9", "127.0.0.1", "2001:db8::9", "127.0.0.1"}));
}

TEST_F(Proxies, behind_one_with_a_header_are_trusted_by_the_address_that_it_names) {
    options.send_proxy = networks({"127.0.0.1"});
    options.trusted = networks({"203.0.113.9"});
    start();
    EXPECT_EQ(client().ask(text_header + get("/a", "X-Forwarded-For: 198.51.100.1\r\n"))->status, 200);
    EXPECT_EQ(client().ask(binary_header + get("/b", "X-Forwarded-For: 198.51.100.1\r\n"))->status, 200);
    EXPECT_EQ(peers(), (std::vector<std::string>{"198.51.100.1", "2001:db8::9"}));
}

TEST_F(Proxies, are_told_when_there_are_too_many_connections) {
    options.send_proxy = networks({"127.0.0.1"});
    options.http.connections_max = 1;
    start();
    Client first = client();
    EXPECT_EQ(first.ask(text_header + get("/"))->status, 200);
    EXPECT_EQ(client().ask(text_header)->status, 503);
}

TEST_F(Proxies, that_say_nothing_do_not_hold_up_a_drain) {
    options.send_proxy = networks({"127.0.0.1"});
    start();
    Client c = client();
    EXPECT_TRUE(eventually([&] { return server->connections() == 1; }));
    on_loop([this] { server->drain(); });
    EXPECT_TRUE(drained({net::now() + std::chrono::seconds(5)}));
    EXPECT_TRUE(c.gone());
    EXPECT_TRUE(peers().empty());
    EXPECT_TRUE(recorder.refused.empty());
}

}  // namespace millrace::http
