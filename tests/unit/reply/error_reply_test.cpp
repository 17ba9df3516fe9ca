// Errors as clients get them: body by verbosity, the code in Proxy-Status; and how times are told.
#include <gtest/gtest.h>

#include "millrace/core/reply.hpp"

namespace millrace::reply {
namespace {

TEST(ErrorReply, tells_the_code_in_proxy_status) {
    EXPECT_EQ(from_error(Error::of(Fault::no_relation)).headers.get("Proxy-Status"), "PostgREST; error=PGRST205");
    Error raised = Error::of(Fault::internal);
    raised.code = "a; b\r\nSet-Cookie: c";
    EXPECT_EQ(from_error(raised).headers.lines().find("Proxy-Status"), std::string::npos);
}

TEST(ErrorReply, is_as_verbose_as_it_is_told_to_be) {
    const Error error = Error::of(Fault::no_relation, "m").with_details("d").with_hint("h");
    EXPECT_EQ(from_error(error).body.view(), R"({"code":"PGRST205","details":"d","hint":"h","message":"m"})");
    EXPECT_EQ(from_error(error, Verbosity::minimal).body.view(), R"({"code":"PGRST205","message":"m"})");
}

TEST(ServerTiming, has_milliseconds_with_one_digit) {
    using namespace std::chrono_literals;
    EXPECT_EQ(server_timing({400us, 0us, 1251us, 20ms, 60us}),
              "jwt;dur=0.4, parse;dur=0.0, plan;dur=1.3, transaction;dur=20.0, response;dur=0.1");
}

}  // namespace
}  // namespace millrace::reply
