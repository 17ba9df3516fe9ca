// Which keys are keys, and which requests are repeats of one another.
#include <gtest/gtest.h>

#include <functional>

#include "millrace/core/idempotency.hpp"

namespace millrace::idempotency {
namespace {

using message::Method;
using routes::Idempotency;

std::string parsed(std::string_view field) {
    auto key = parse_key(field);
    return key ? *key : key.error().code + " " + std::to_string(key.error().status);
}

struct Asked {
    Method method = Method::post;
    std::string query = "select=id", body = R"({"name":"a"})";
    std::vector<message::Header> headers{{"Idempotency-Key", "k1"}, {"Prefer", "return=representation"}};
    auth::Identity identity{
        .role = "member", .claims_json = R"({"role":"member","sub":"u1","exp":5,"team":1})", .authenticated = true};
    std::string route = "v1/shop/products";
    Idempotency policy = Idempotency::optional;

    [[nodiscard]] Result<std::optional<Key>> key() const {
        message::Request request;
        request.method = method;
        request.query = query;
        request.body = body;
        request.headers = headers;
        return key_of(request, identity, route, policy);
    }
};

struct Case {
    const char* what;
    std::function<void(Asked&)> change;
};

}  // namespace

TEST(IdempotencyKey, is_a_string_or_what_would_be_in_one) {
    EXPECT_EQ(parsed("8e03978e-40d5-43dd-bc93-6894a57f9324"), "8e03978e-40d5-43dd-bc93-6894a57f9324");
    EXPECT_EQ(parsed("\"8e03978e\""), "8e03978e");
    EXPECT_EQ(parsed(R"("a \"b\" \\c")"), R"(a "b" \c)");
    EXPECT_EQ(parsed(std::string(255, 'x')), std::string(255, 'x'));
    EXPECT_EQ(parsed("\"" + std::string(255, 'x') + "\""), std::string(255, 'x'));
}

TEST(IdempotencyKey, is_nothing_else) {
    for (const std::string field : {"", "\"\"", "\"", "\"a", "\"a\";p=1", "\"a\" ", "\"a\\x\"", "\"a\\", "\"a\\\"", "a b",
                                    "a,b", "a\"b", "a\\b", "\"\xC3\xA4\"", "\xC3\xA4", "\"a\tb\""})
        EXPECT_EQ(parsed(field), "MR040 400") << field;
    EXPECT_EQ(parsed(std::string(256, 'x')), "MR040 400");
    EXPECT_EQ(parsed("\"" + std::string(256, 'x') + "\""), "MR040 400");
}

TEST(IdempotencyKey, counts_where_the_route_and_the_method_honour_it) {
    for (const Method method : {Method::get, Method::head, Method::put, Method::del, Method::options}) {
        Asked asked;
        asked.method = method;
        asked.policy = Idempotency::required;
        EXPECT_FALSE(*asked.key());
    }
    for (const Method method : {Method::post, Method::patch}) {
        Asked asked;
        asked.method = method;
        EXPECT_TRUE(*asked.key());
        asked.policy = Idempotency::off;
        EXPECT_FALSE(*asked.key());
        asked.headers.clear();
        asked.policy = Idempotency::optional;
        EXPECT_FALSE(*asked.key());
        asked.policy = Idempotency::required;
        EXPECT_EQ(asked.key().error().code, "MR041");
    }
}

TEST(IdempotencyKey, is_there_once) {
    Asked asked;
    asked.headers.emplace_back(message::Header{"idempotency-key", "k1"});
    EXPECT_EQ(asked.key().error().code, "MR040");
    asked.headers = {{"Idempotency-Key", ""}};
    EXPECT_EQ(asked.key().error().code, "MR040") << "an empty one is no key, and not none";
}

TEST(IdempotencyKey, is_its_callers_and_routes) {
    const Case cases[] = {
        {"another key", [](Asked& a) { a.headers[0].value = "k2"; }},
        {"another method", [](Asked& a) { a.method = Method::patch; }},
        {"another route", [](Asked& a) { a.route = "v1/shop/orders"; }},
        {"another role", [](Asked& a) { a.identity.role = "guest"; }},
        {"another subject", [](Asked& a) { a.identity.claims_json = R"({"role":"member","sub":"u2"})"; }},
        {"another issuer", [](Asked& a) { a.identity.claims_json = R"({"role":"member","sub":"u1","iss":"x"})"; }},
        {"no subject", [](Asked& a) { a.identity.claims_json = R"({"role":"member","team":1})"; }},
        {"nobody", [](Asked& a) { a.identity = {.role = "", .claims_json = "{}"}; }},
    };
    const text::Sha256 id = (*Asked{}.key())->id;
    for (const Case& each : cases) {
        Asked asked;
        each.change(asked);
        EXPECT_NE((*asked.key())->id, id) << each.what;
    }
    Asked first, second;
    first.identity.claims_json = R"({"team":1})";
    second.identity.claims_json = R"({"team":2})";
    EXPECT_NE((*first.key())->id, (*second.key())->id) << "who has no subject is told by all claims";
}

TEST(IdempotencyKey, a_repeat_has_all_else_in_common) {
    const Case cases[] = {
        {"another query", [](Asked& a) { a.query = "select=name"; }},
        {"another body", [](Asked& a) { a.body += ' '; }},
        {"query and body run together", [](Asked& a) { a.query += a.body, a.body.clear(); }},
        {"another Prefer", [](Asked& a) { a.headers[1].value = "return=minimal"; }},
        {"another Accept",
         [](Asked& a) {
             a.headers.push_back({"Accept", "text/csv"});
         }},
        {"another Content-Type",
         [](Asked& a) {
             a.headers.push_back({"Content-Type", "text/csv"});
         }},
        {"a condition",
         [](Asked& a) {
             a.headers.push_back({"If-Match", "\"x\""});
         }},
        {"another claim", [](Asked& a) { a.identity.claims_json = R"({"role":"member","sub":"u1","team":2})"; }},
    };
    const Key key = **Asked{}.key();
    for (const Case& each : cases) {
        Asked asked;
        each.change(asked);
        EXPECT_EQ((*asked.key())->id, key.id) << each.what;
        EXPECT_NE((*asked.key())->fingerprint, key.fingerprint) << each.what;
    }
}

TEST(IdempotencyKey, outlives_a_token_that_is_renewed) {
    const Key key = **Asked{}.key();
    Asked renewed;
    renewed.identity.claims_json = R"({"iat":4,"nbf":4,"jti":"x","team":1,"exp":9,"sub":"u1","role":"member"})";
    renewed.headers[0].value = "\"k1\"";
    EXPECT_EQ((*renewed.key())->id, key.id);
    EXPECT_EQ((*renewed.key())->fingerprint, key.fingerprint);
}

}  // namespace millrace::idempotency
