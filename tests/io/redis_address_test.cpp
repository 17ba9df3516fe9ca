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
                                   std::string("rediss://:hunter2@h"),
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

}  // namespace millrace::redis
