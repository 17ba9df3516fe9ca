// What a batch says, byte for byte, and what an operation takes over from the request that brought it.
#include <gtest/gtest.h>

#include "millrace/core/batch.hpp"

namespace millrace::batch {
namespace {

std::string wrong(std::string_view operation) {
    auto parsed = parse("{\"operations\":[" + std::string(operation) + "]}", "/v1", 2);
    return parsed ? "good" : parsed.error().code + " " + parsed.error().details.value_or("");
}

}  // namespace

TEST(Batch, bodies_keep_their_bytes) {
    const auto parsed = parse(R"( { "operations" : [ {"method":"POST", "path":"/notes?select=id",
        "body": { "n":1.00000000000000000001, "s":"}\"]," , "a":[1,{"b":[]}] } },
        {"body":null,"path":"/x","method":"GET"}] } )",
                              "/v1", 2);
    ASSERT_TRUE(parsed);
    EXPECT_EQ((*parsed)[0].body, R"({ "n":1.00000000000000000001, "s":"}\"]," , "a":[1,{"b":[]}] })");
    EXPECT_EQ((*parsed)[0].target, "/v1/notes?select=id");
    EXPECT_EQ((*parsed)[0].headers.front().second, "application/json");
    EXPECT_EQ((*parsed)[1].method, message::Method::get);
    EXPECT_EQ((*parsed)[1].body, "");
    EXPECT_TRUE((*parsed)[1].headers.empty());
}

TEST(Batch, text_that_is_not_json_is_a_string) {
    const auto parsed = parse(
        R"({"operations":[{"method":"POST","path":"/x","body":"a,b\n1,2","headers":{"content-type":"text/csv"}}]})", "", 1);
    ASSERT_TRUE(parsed);
    EXPECT_EQ((*parsed)[0].body, "a,b\n1,2");
}

TEST(Batch, says_what_is_wrong_with_which_operation) {
    EXPECT_EQ(wrong(R"({"method":"GET","path":"/a"})"), "good");
    EXPECT_EQ(wrong(R"({"method":"GET","path":"/a"},{"path":"/a"})"), "MR044 Operation 1: An operation needs a method.");
    EXPECT_EQ(wrong(R"({"method":"GET","path":"a"})"),
              "MR044 Operation 0: path must begin with '/' and be written as in a URL.");
    EXPECT_EQ(wrong(R"({"method":"GET","path":"/a","headers":{"Authorization":"x"}})"),
              "MR044 Operation 0: An operation may not have the header 'Authorization'.");
    EXPECT_EQ(wrong(R"({"method":"GET","path":"/a","headers":{"Accept":"a\nb"}})"),
              "MR044 Operation 0: The header 'Accept' is no text of one line.");
    EXPECT_EQ(wrong(R"({"method":"GET","path":"/a"},{},{})"), "MR046 There may be 2 of them.");
}

TEST(Batch, an_operation_is_its_callers) {
    const Operation operation{message::Method::patch, "/v1/notes?id=eq.1", {{"Prefer", "return=minimal"}}, "{}"};
    message::Request outer;
    outer.peer = "192.0.2.1";
    outer.headers = {
        {"Authorization", "Bearer x"}, {"prefer", "return=representation"}, {"Idempotency-Key", "k"}, {"X-App", "y"}};
    const auto request = request_of(operation, outer);
    EXPECT_EQ(request.path, "/v1/notes");
    EXPECT_EQ(request.query, "id=eq.1");
    EXPECT_EQ(request.peer, "192.0.2.1");
    EXPECT_EQ(request.header("Authorization"), "Bearer x");
    EXPECT_EQ(request.header("X-App"), "y");
    EXPECT_EQ(request.header("Prefer"), "return=minimal");
    EXPECT_FALSE(request.has_header("Idempotency-Key"));
}

}  // namespace millrace::batch
