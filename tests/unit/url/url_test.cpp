// What a URL is taken apart into, and what is none.
#include "millrace/core/url.hpp"

#include <gtest/gtest.h>

namespace millrace::url {

TEST(Url, has_host_port_and_target) {
    const auto url = parse("http://orders.internal:8080/api/?a=b");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->text, "http://orders.internal:8080/api/?a=b");
    EXPECT_EQ(url->host, "orders.internal");
    EXPECT_EQ(url->port, "8080");
    EXPECT_EQ(url->authority, "orders.internal:8080");
    EXPECT_EQ(url->target, "/api/?a=b");
    EXPECT_FALSE(url->encrypted);
    EXPECT_EQ(parse("http://orders")->port, "80");
    EXPECT_EQ(parse("http://orders")->target, "");
    EXPECT_EQ(parse("http://orders?a=/b")->target, "?a=/b");
    EXPECT_TRUE(parse("https://orders")->encrypted);
    EXPECT_EQ(parse("https://orders")->port, "443");
}

TEST(Url, of_an_ipv6_address_has_no_brackets_in_its_host) {
    const auto url = parse("https://[::1]:8443/x");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->port, "8443");
    EXPECT_EQ(url->authority, "[::1]:8443");
    EXPECT_EQ(parse("http://[::1]/x")->port, "80");
}

TEST(Url, is_refused_when_it_can_be_read_in_two_ways) {
    for (const char* bad : {"ftp://a", "//a", "http://", "https:///x", "http://a:0", "http://a:99999", "http://a:x",
                            "http://a:", "http://a:+80", "http://a:80:80", "http://[::1", "http://[::1]x", "http://:80",
                            "http://u@a", "http://a#b", "http://a b", "http://a\\b"})
        EXPECT_FALSE(parse(bad)) << bad;
}

TEST(Url, that_others_are_put_behind_has_neither_query_nor_last_slash) {
    EXPECT_EQ(parse_base("http://a/api//")->target, "/api");
    EXPECT_EQ(parse_base("http://a/")->target, "");
    EXPECT_FALSE(parse_base("http://a?b"));
    EXPECT_FALSE(parse_base("http://a/b?c=d"));
    EXPECT_FALSE(parse_base("ftp://a"));
}

}  // namespace millrace::url
