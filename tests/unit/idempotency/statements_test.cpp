// What is said to the database, what it brings back, and what its refusals become.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/idempotency.hpp"

namespace millrace::idempotency {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Key key() {
    Key out;
    out.id.fill(0x0a);
    out.fingerprint.fill(0xff);
    return out;
}

message::Reply reply() {
    message::Reply out;
    out.status = 201;
    out.headers.add("Location", "/v1/products?id=eq.1");
    out.body = std::string("\0\n\xff", 3);
    return out;
}

}  // namespace

TEST(IdempotencyStatements, the_login_role_alone_speaks_to_the_functions) {
    const auto claimed = claim(key());
    ASSERT_EQ(claimed.size(), 2u);
    EXPECT_EQ(claimed[0].parameters[0], "none");
    EXPECT_THAT(claimed[1].text, StartsWith("SELECT millrace.claim_idempotency_key("));
    EXPECT_THAT(*claimed[1].parameters[0], StartsWith("\\x0a0a0a"));
    const auto kept = keep(key(), reply(), "member", {});
    ASSERT_EQ(kept->size(), 3u);
    EXPECT_EQ((*kept)[0].parameters[0], "none");
    EXPECT_EQ((*kept)[2].parameters[0], "member") << "what COMMIT runs does not run as the login role";
    EXPECT_THAT((*kept)[1].text, StartsWith("SELECT millrace.keep_idempotent_answer("));
    const auto& values = (*kept)[1].parameters;
    EXPECT_EQ(values[2], "201");
    EXPECT_EQ(values[4], "\\x000aff");
    EXPECT_EQ(values[5], "86400");
    for (const auto& statement : {claimed[0], (*kept)[2]}) EXPECT_THAT(statement.text, HasSubstr("pg_catalog.set_config"));
}

TEST(IdempotencyStatements, an_answer_that_is_too_large_is_not_kept) {
    config::IdempotencySettings settings;
    settings.answer_bytes_max = 3;
    EXPECT_TRUE(keep(key(), reply(), "member", settings));
    settings.answer_bytes_max = 2;
    EXPECT_EQ(keep(key(), reply(), "member", settings).error().code, "MR029");
}

TEST(IdempotencyStatements, what_is_found_is_what_was_kept) {
    sql::Rows rows;
    rows.columns = 3;
    rows.cells = {"201", "4c6f636174696f6e3a202f780d0a", "000aff"};
    const auto again = found({{}, rows});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->status, 201);
    EXPECT_EQ(again->headers.lines(), "Location: /x\r\nIdempotent-Replayed: true\r\n");
    EXPECT_EQ(again->body.view(), std::string_view("\0\n\xff", 3));
    rows.cells.clear();
    EXPECT_FALSE(found({{}, rows}));
}

TEST(IdempotencyStatements, refusals_say_what_they_mean) {
    const auto told = [](std::string state) {
        Error error;
        error.code = std::move(state);
        const Error out = claim_error(std::move(error));
        return std::to_string(out.status) + " " + out.code;
    };
    EXPECT_EQ(told("MR043"), "409 MR043");
    EXPECT_EQ(told("MR042"), "422 MR042");
    for (const char* state : {"42883", "3F000", "42501"}) EXPECT_EQ(told(state), "400 PGRST127") << state;
    EXPECT_EQ(told("53300"), "500 53300") << "anything else is told as it is";
    EXPECT_EQ(under_way().headers.front().first, "Retry-After");
}

}  // namespace millrace::idempotency
