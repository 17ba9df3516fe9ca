// The URLs of Redis servers: their forms, and what is refused.
#include <gtest/gtest.h>

#include "millrace/io/redis.hpp"

namespace millrace::redis {

TEST(RedisAddress, reads_the_forms_of_a_url) {
    const auto full = parse_url("redis://me:p%40ss%2F@cache.example:7000/3");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->endpoints.front().host, "cache.example");
    EXPECT_EQ(full->endpoints.front().port, 7000);
    EXPECT_EQ(full->user, "me");
    EXPECT_EQ(full->password, "p@ss/");
    EXPECT_EQ(full->database, 3);
    EXPECT_EQ(parse_url("redis://:secret@h").value().password, "secret");
    EXPECT_EQ(parse_url("redis://:secret@h").value().user, "");
    EXPECT_EQ(parse_url("redis://h").value().endpoints.front().port, 6379);
    EXPECT_EQ(parse_url("redis://h/").value().database, 0);
    EXPECT_EQ(parse_url("redis://[::1]:7000").value().endpoints.front().host, "::1");
    EXPECT_EQ(parse_url("unix:///run/redis.sock").value().endpoints.front().unix_path, "/run/redis.sock");
    EXPECT_EQ(parse_url("unix://:pw@/run/redis.sock?db=2").value().database, 2);
    EXPECT_EQ(parse_url("unix://:pw@/run/redis.sock?db=2").value().password, "pw");
}

TEST(RedisAddress, refuses_the_rest_and_never_quotes_a_password) {
    const std::string long_path(200, 'x');
    std::string many_hosts = "h";
    for (int i = 0; i < 64; ++i) many_hosts += ",h";
    for (const std::string& url : {std::string(),
                                   std::string("redis"),
                                   std::string("redis://"),
                                   std::string("redis://:hunter2@"),
                                   std::string("redis://:hunter2@h:0"),
                                   std::string("redis://h:65536"),
                                   std::string("redis://h:"),
                                   std::string("redis://h:7000x"),
                                   std::string("redis://h/x"),
                                   std::string("redis://h/-1"),
                                   std::string("redis://:hunter2%zz@h"),
                                   std::string("redis://user@h"),
                                   std::string("redis://[::1"),
                                   std::string("redis://[::1]7000"),
                                   std::string("redis://h h"),
                                   std::string("redis://h\r\nhunter2"),
                                   std::string("rediss+unix:///x"),
                                   std::string("redis://:hunter2@a,b"),
                                   std::string("redis://a,"),
                                   std::string("redis+sentinel://:hunter2@a:1"),
                                   std::string("redis+sentinel://a:1/"),
                                   std::string("redis+sentinel://a:1/two words"),
                                   std::string("redis+sentinel://a:1/na*me"),
                                   std::string("redis+sentinel://a:1/name/x"),
                                   std::string("redis+sentinel://a:1,,b/name"),
                                   std::string("redis+cluster://a:1/2"),
                                   std::string("redis+cluster://a:1/name"),
                                   std::string("redis+cluster://"),
                                   "redis+cluster://" + many_hosts,
                                   std::string("http://h"),
                                   std::string("unix://relative"),
                                   std::string("unix:///a?x=1"),
                                   "unix:///" + long_path,
                                   "redis://" + std::string(5'000, 'h')}) {
        const auto address = parse_url(url);
        ASSERT_FALSE(address) << url;
        EXPECT_EQ(address.error().message.find("hunter2"), std::string::npos) << address.error().message;
    }
}

TEST(RedisAddress, names_sentinels_and_clusters_by_several_hosts) {
    const auto sentinel = parse_url("redis+sentinel://me:pw@a,b:1,[::1]:2/cache.main/3");
    ASSERT_TRUE(sentinel);
    EXPECT_EQ(sentinel->topology, Topology::sentinel);
    ASSERT_EQ(sentinel->endpoints.size(), 3U);
    EXPECT_EQ(sentinel->endpoints[0].host, "a");
    EXPECT_EQ(sentinel->endpoints[0].port, 26'379);
    EXPECT_EQ(sentinel->endpoints[1].port, 1);
    EXPECT_EQ(sentinel->endpoints[2].host, "::1");
    EXPECT_EQ(sentinel->service, "cache.main");
    EXPECT_EQ(sentinel->database, 3);
    EXPECT_EQ(sentinel->password, "pw");
    EXPECT_FALSE(sentinel->encrypted);
    const auto cluster = parse_url("rediss+cluster://a,b:7000/");
    ASSERT_TRUE(cluster);
    EXPECT_EQ(cluster->topology, Topology::cluster);
    EXPECT_EQ(cluster->endpoints[0].port, 6'379);
    EXPECT_EQ(cluster->endpoints[1].port, 7'000);
    EXPECT_TRUE(cluster->encrypted);
}

TEST(RedisAddress, certificates_belong_to_an_encrypted_url_and_must_be_readable) {
    config::RedisSettings settings;
    settings.url = "redis://:hunter2@h";
    settings.sentinel_password = "s";
    EXPECT_EQ(address_of(settings).value().sentinel_password, "s");
    settings.tls_ca_file = "/nonexistent/ca.pem";
    EXPECT_NE(address_of(settings).error().message.find("rediss://"), std::string::npos);
    settings.url = "rediss://:hunter2@h";
    EXPECT_NE(address_of(settings).error().message.find("redis.tls_ca_file cannot be used"), std::string::npos);
    settings.tls_ca_file.clear();
    EXPECT_NE(address_of(settings).value().tls, nullptr);
    settings.tls_key_file = "/nonexistent/key.pem";
    EXPECT_NE(address_of(settings).error().message.find("redis.tls_cert_file cannot be used"), std::string::npos);
}

}  // namespace millrace::redis
