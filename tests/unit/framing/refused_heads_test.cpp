// Every head that must be refused, with the fault it is refused for.
#include <gtest/gtest.h>

#include <millrace/core/framing.hpp>

namespace millrace::framing {
namespace {

struct Refused {
    std::string head;
    Fault fault;
};

std::string get(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"; }
std::string line(const std::string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }
std::string host(const std::string& value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; }

// As the server does it: find the end, then read. A head that find_head refuses is refused.
std::optional<Fault> fault_of(const std::string& head, const Limits& limits = {}) {
    std::size_t scanned = 0;
    const auto found = find_head(head, limits, scanned);
    if (!found) return found.error().fault;
    const auto read = read_head(head.substr(0, found->value_or(head.size())), limits);
    if (!read) return read.error().fault;
    return std::nullopt;
}

void expect_refused(const std::vector<Refused>& table) {
    for (const auto& [head, fault] : table) {
        EXPECT_EQ(fault_of(head), fault) << head;
        // The reader alone refuses as well: nothing depends on who found the head's end.
        EXPECT_FALSE(read_head(head, {}).has_value()) << head;
    }
}

}  // namespace

TEST(FramingGuard, refuses_request_lines_that_are_not_exact) {
    expect_refused({
        {line("GET  / HTTP/1.1"), Fault::bad_framing},
        {line("GET /  HTTP/1.1"), Fault::bad_framing},
        {line("GET / HTTP/1.1 "), Fault::bad_framing},
        {line(" GET / HTTP/1.1"), Fault::bad_framing},
        {line("GET\t/ HTTP/1.1"), Fault::bad_framing},
        {line("GET /\tHTTP/1.1"), Fault::bad_framing},
        {line("GET / \tHTTP/1.1"), Fault::bad_framing},
        {line("GET /"), Fault::bad_framing},
        {line("GET"), Fault::bad_framing},
        {line("GET / "), Fault::bad_framing},
        {line("/ HTTP/1.1"), Fault::bad_framing},
        {line("G(T / HTTP/1.1"), Fault::bad_framing},
        {line("GET: / HTTP/1.1"), Fault::bad_framing},
        {line("GET / HTTP/1.1\v"), Fault::bad_framing},
        {line("GET /a b HTTP/1.1"), Fault::bad_framing},
        {line(std::string("GET /\0 HTTP/1.1", 15)), Fault::bad_framing},
        {line("GET /\x01 HTTP/1.1"), Fault::bad_framing},
        {line("GET /\x7F HTTP/1.1"), Fault::bad_framing},
        {line("GET /\xC3\xA9 HTTP/1.1"), Fault::bad_framing},
        {line("GET /\x80 HTTP/1.1"), Fault::bad_framing},
        {"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_framing},
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_framing},
        {"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_framing},
        {"\x16\x03\x01\x02", Fault::bad_framing},  // a TLS ClientHello
    });
}

TEST(FramingGuard, refuses_methods_that_it_does_not_serve) {
    expect_refused({
        {line("CONNECT / HTTP/1.1"), Fault::method_not_implemented},
        {line("CONNECT a:443 HTTP/1.1"), Fault::method_not_implemented},
        {line("TRACE / HTTP/1.1"), Fault::method_not_implemented},
        {line("PROPFIND / HTTP/1.1"), Fault::method_not_implemented},
        {line("get / HTTP/1.1"), Fault::method_not_implemented},
        {line("Get / HTTP/1.1"), Fault::method_not_implemented},
        {line("GETT / HTTP/1.1"), Fault::method_not_implemented},
        {line("GE / HTTP/1.1"), Fault::method_not_implemented},
        {line("QUERY / HTTP/1.1"), Fault::method_not_implemented},
        {line("!#$%&'*+-.^_`|~ / HTTP/1.1"), Fault::method_not_implemented},
    });
}

TEST(FramingGuard, refuses_versions_other_than_1_0_and_1_1) {
    expect_refused({
        {line("GET / HTTP/0.9"), Fault::version_not_supported},
        {line("GET / HTTP/1.2"), Fault::version_not_supported},
        {line("GET / HTTP/2.0"), Fault::version_not_supported},
        {"PRI * HTTP/2.0\r\n\r\n", Fault::version_not_supported},
        {line("GET / HTTP/2"), Fault::bad_framing},
        {line("GET / HTTP/1.10"), Fault::bad_framing},
        {line("GET / HTTP/11.1"), Fault::bad_framing},
        {line("GET / HTTP/1,1"), Fault::bad_framing},
        {line("GET / http/1.1"), Fault::bad_framing},
        {line("GET / HTTP/-1.1"), Fault::bad_framing},
        {line("GET / HTTPS/1.1"), Fault::bad_framing},
        {line("GET / ICY"), Fault::bad_framing},
    });
}

TEST(FramingGuard, refuses_targets_in_a_form_that_the_method_has_not) {
    expect_refused({
        {line("GET * HTTP/1.1"), Fault::bad_framing},
        {line("POST * HTTP/1.1"), Fault::bad_framing},
        {line("HEAD * HTTP/1.1"), Fault::bad_framing},
        {line("OPTIONS ** HTTP/1.1"), Fault::bad_framing},
        {line("GET a:80 HTTP/1.1"), Fault::bad_framing},
        {line("GET a HTTP/1.1"), Fault::bad_framing},
        {line("GET ?q HTTP/1.1"), Fault::bad_framing},
        {line("GET /a#b HTTP/1.1"), Fault::bad_framing},
        {line("GET http:/a/ HTTP/1.1"), Fault::bad_framing},
        {line("GET ftp://a/ HTTP/1.1"), Fault::bad_framing},
        {line("GET http://a?x=1 HTTP/1.1"), Fault::bad_framing},
        {line("GET http://a#x HTTP/1.1"), Fault::bad_framing},
        {line("GET http://b/ HTTP/1.1"), Fault::bad_host},
        {line("GET http://a.b/ HTTP/1.1"), Fault::bad_host},
        {line("GET http://a:81/ HTTP/1.1"), Fault::bad_host},
        {line("GET https://a:80/ HTTP/1.1"), Fault::bad_host},
        {line("GET http:///x HTTP/1.1"), Fault::bad_host},
        {line("GET http://u@a/ HTTP/1.1"), Fault::bad_host},
        {line("GET http://u:p@a/ HTTP/1.1"), Fault::bad_host},
    });
}

TEST(FramingGuard, refuses_anything_but_one_valid_host) {
    expect_refused({
        {"GET / HTTP/1.1\r\n\r\n", Fault::bad_host},
        {"GET / HTTP/1.0\r\n\r\n", Fault::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Fault::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", Fault::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", Fault::bad_host},
        {"GET / HTTP/1.1\r\nHosts: a\r\n\r\n", Fault::bad_host},
        {host(""), Fault::bad_host},
        {host("   "), Fault::bad_host},
        {host(":80"), Fault::bad_host},
        {host("a b"), Fault::bad_host},
        {host("a,b"), Fault::bad_host},
        {host("a, a"), Fault::bad_host},
        {host("u@a"), Fault::bad_host},
        {host("u:p@a"), Fault::bad_host},
        {host("a/"), Fault::bad_host},
        {host("a/b"), Fault::bad_host},
        {host("http://a"), Fault::bad_host},
        {host("a?b"), Fault::bad_host},
        {host("a#b"), Fault::bad_host},
        {host("a\\b"), Fault::bad_host},
        {host("a:80a"), Fault::bad_host},
        {host("a:-1"), Fault::bad_host},
        {host("a:80:80"), Fault::bad_host},
        {host("a:65536"), Fault::bad_host},
        {host("a:100000"), Fault::bad_host},
        {host("a%"), Fault::bad_host},
        {host("a%4"), Fault::bad_host},
        {host("a%zz"), Fault::bad_host},
        {host("a\"b"), Fault::bad_host},
        {host("<a>"), Fault::bad_host},
        {host("::1"), Fault::bad_host},
        {host("[]"), Fault::bad_host},
        {host("[::1"), Fault::bad_host},
        {host("::1]"), Fault::bad_host},
        {host("[::1]x"), Fault::bad_host},
        {host("[::1]:x"), Fault::bad_host},
        {host("[::1::2]"), Fault::bad_host},
        {host("[:::]"), Fault::bad_host},
        {host("[1:2:3:4:5:6:7]"), Fault::bad_host},
        {host("[1:2:3:4:5:6:7:8:9]"), Fault::bad_host},
        {host("[1:2:3:4:5:6:7::8]"), Fault::bad_host},
        {host("[::12345]"), Fault::bad_host},
        {host("[::g]"), Fault::bad_host},
        {host("[::1.2.3.256]"), Fault::bad_host},
        {host("[::1.2.3]"), Fault::bad_host},
        {host("[1.2.3.4]"), Fault::bad_host},
        {host("[1.2.3.4::]"), Fault::bad_host},
        {host("[::01.2.3.4]"), Fault::bad_host},
        {host("[fe80::1%25eth0]"), Fault::bad_host},
        {host("[v.a]"), Fault::bad_host},
        {host("[v1.]"), Fault::bad_host},
        {host("[vg.a]"), Fault::bad_host},
        {host(std::string(256, 'a')), Fault::bad_host},
    });
}

TEST(FramingGuard, refuses_lengths_that_are_not_one_run_of_digits) {
    expect_refused({
        {get("Content-Length:\r\n"), Fault::bad_framing},
        {get("Content-Length: +1\r\n"), Fault::bad_framing},
        {get("Content-Length: -1\r\n"), Fault::bad_framing},
        {get("Content-Length: 1 1\r\n"), Fault::bad_framing},
        {get("Content-Length: 1,1\r\n"), Fault::bad_framing},
        {get("Content-Length: 1, 1\r\n"), Fault::bad_framing},
        {get("Content-Length: 0x1\r\n"), Fault::bad_framing},
        {get("Content-Length: 1.0\r\n"), Fault::bad_framing},
        {get("Content-Length: 1e3\r\n"), Fault::bad_framing},
        {get("Content-Length: a\r\n"), Fault::bad_framing},
        {get("Content-Length: 1;\r\n"), Fault::bad_framing},
        {get("Content-Length: 9223372036854775808\r\n"), Fault::bad_framing},
        {get("Content-Length: 18446744073709551616\r\n"), Fault::bad_framing},
        {get("Content-Length: 99999999999999999999999999\r\n"), Fault::bad_framing},
        {get("Content-Length: 1\r\nContent-Length: 1\r\n"), Fault::bad_framing},
        {get("Content-Length: 0\r\ncontent-length: 0\r\n"), Fault::bad_framing},
        {get("Content-Length: 1\r\nContent-Length: 2\r\n"), Fault::bad_framing},
    });
}

TEST(FramingGuard, refuses_codings_other_than_one_chunked) {
    expect_refused({
        {get("Transfer-Encoding:\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), Fault::bad_framing},
        {get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), Fault::bad_framing},
        {get("Content-Length: 0\r\nTransfer-Encoding: gzip\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding: gzip\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: gzip, chunked\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: chunked, chunked\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: chunked,\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: identity\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: xchunked\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: chunked;q=1\r\n"), Fault::unknown_transfer_coding},
        {get("Transfer-Encoding: \"chunked\"\r\n"), Fault::unknown_transfer_coding},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Fault::bad_framing},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", Fault::bad_framing},
    });
}

TEST(FramingGuard, refuses_fields_that_two_readers_could_take_apart) {
    expect_refused({
        {get("Content-Length : 1\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding : chunked\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding\t: chunked\r\n"), Fault::bad_framing},
        {get(" X: folded\r\n"), Fault::bad_framing},
        {get("X: a\r\n b\r\n"), Fault::bad_framing},
        {get("X: a\r\n\tb\r\n"), Fault::bad_framing},
        {get("X: a\r\n \r\n"), Fault::bad_framing},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Fault::bad_framing},
        {get("X\r\n"), Fault::bad_framing},
        {get(": a\r\n"), Fault::bad_framing},
        {get("X y: a\r\n"), Fault::bad_framing},
        {get("X(: a\r\n"), Fault::bad_framing},
        {get("\"X\": a\r\n"), Fault::bad_framing},
        {get("X\xC3\xA9: a\r\n"), Fault::bad_framing},
        {get(std::string("X\0: a\r\n", 8)), Fault::bad_framing},
        {get(std::string("X: a\0b\r\n", 8)), Fault::bad_framing},
        {get("X: a\x01\r\n"), Fault::bad_framing},
        {get("X: a\x0B\r\n"), Fault::bad_framing},
        {get("Transfer-Encoding:\x0B"
             "chunked\r\n"),
         Fault::bad_framing},
        {get("X: a\x7F\r\n"), Fault::bad_framing},
        {get("X: \xC3\xA9\r\n"), Fault::bad_framing},
        {get("X: \xFF\r\n"), Fault::bad_framing},
        {get("X: a\rb\r\n"), Fault::bad_framing},
        {get("X: a\r\r\n"), Fault::bad_framing},
        {get("X: a\nY: b\r\n"), Fault::bad_framing},
        {get("X: a\n"), Fault::bad_framing},
        {get("Connection: close; x\r\n"), Fault::bad_framing},
        {get("Connection: keep-alive, (close)\r\n"), Fault::bad_framing},
        {"GET / HTTP/1.1\nHost: a\n\n", Fault::bad_framing},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", Fault::bad_framing},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", Fault::bad_framing},
        {"GET / HTTP/1.1\rHost: a\r\r", Fault::bad_framing},
    });
}

TEST(FramingGuard, refuses_expectations_other_than_100_continue) {
    expect_refused({
        {get("Expect: 200-ok\r\n"), Fault::expectation_failed},
        {get("Expect: 100-continue, x\r\n"), Fault::expectation_failed},
        {get("Expect:\r\n"), Fault::expectation_failed},
        {get("Expect: 100-continue\r\nExpect: y\r\n"), Fault::expectation_failed},
    });
}

TEST(FramingGuard, refuses_what_is_over_a_limit) {
    const Limits limits{.head_bytes_max = 200, .headers_max = 3, .target_bytes_max = 20};
    EXPECT_EQ(fault_of(line("GET /" + std::string(19, 'a') + " HTTP/1.1"), limits), std::nullopt);
    EXPECT_EQ(fault_of(line("GET /" + std::string(20, 'a') + " HTTP/1.1"), limits), Fault::target_too_long);
    EXPECT_EQ(fault_of(line("GET /" + std::string(300, 'a') + " HTTP/1.1"), limits), Fault::target_too_long);
    EXPECT_EQ(fault_of(get("A: 1\r\nB: 2\r\n"), limits), std::nullopt);
    EXPECT_EQ(fault_of(get("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), Fault::head_too_large);
    const std::string exact = get("A: " + std::string(200 - 32, 'a') + "\r\n");
    ASSERT_EQ(exact.size(), 200U);
    EXPECT_EQ(fault_of(exact, limits), std::nullopt);
    EXPECT_EQ(fault_of(get("A: " + std::string(200 - 31, 'a') + "\r\n"), limits), Fault::head_too_large);
    EXPECT_FALSE(read_head(get("A: " + std::string(200 - 31, 'a') + "\r\n"), limits).has_value());
}

TEST(FramingGuard, refuses_bytes_behind_the_head) {
    EXPECT_FALSE(read_head(get("") + "x", {}).has_value());
    EXPECT_FALSE(read_head("GET / HTTP/1.1\r\nHost: a\r\n", {}).has_value());
    EXPECT_FALSE(read_head("", {}).has_value());
    EXPECT_FALSE(read_head("\r\n\r\n", {}).has_value());
}

}  // namespace millrace::framing
