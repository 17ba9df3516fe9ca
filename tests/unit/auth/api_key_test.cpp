// API keys: how they are made, found in a request, and what they make of their bearer.
#include <gtest/gtest.h>

#include <array>

#include "millrace/core/auth.hpp"

namespace millrace::auth {
namespace {

NewApiKey made(unsigned char byte) {
    std::array<unsigned char, api_key_random_bytes> random{};
    random.fill(byte);
    return make_api_key(random);
}

std::string found(std::vector<message::Header> headers) {
    message::Request request;
    request.headers = std::move(headers);
    return std::string(api_key_of(request).value_or("none"));
}

TEST(ApiKey, has_an_id_and_a_secret_and_is_kept_as_a_hash) {
    const NewApiKey key = made(0xFF);
    EXPECT_EQ(key.id, "____________");
    EXPECT_EQ(key.key, "mr_____________" + std::string("_") + std::string(42, '_') + "8");
    EXPECT_EQ(key.hash, api_key_hash(key.key));
    EXPECT_TRUE(may_be_api_key(key.key));
    EXPECT_NE(made(1).hash, made(2).hash);
}

TEST(ApiKey, what_is_none_need_not_be_looked_up) {
    const std::string key = made(7).key;
    for (const std::string& other : {key.substr(1), key + "A", key.substr(0, key.size() - 1), "mr_" + std::string(56, ' '),
                                     std::string("mr_"), std::string(59, 'x')})
        EXPECT_FALSE(may_be_api_key(other) && other.starts_with("mr_")) << other;
}

TEST(ApiKey, is_a_bearer_token_or_a_field_of_its_own_and_a_token_comes_first) {
    const std::string key = made(7).key;
    EXPECT_EQ(found({{"Authorization", "Bearer " + std::string("mr_x")}}), "mr_x");
    const std::string bearer = "bearer " + key;
    EXPECT_EQ(found({{"authorization", bearer}}), key);
    EXPECT_EQ(found({{"apikey", key}}), key);
    EXPECT_EQ(found({{"apikey", "eyJhbGciOi.x.y"}}), "none");
    EXPECT_EQ(found({{"apikey", key}, {"Authorization", "Bearer eyJhbGciOi.x.y"}}), "none");
    EXPECT_EQ(found({{"apikey", key}, {"Authorization", "Basic x"}}), key);
    EXPECT_EQ(found({}), "none");
}

TEST(ApiKey, makes_an_identity_with_claims) {
    const Identity identity = identity_of({"id1", "exporter", "a b:c", "pro", WallTime{}});
    EXPECT_EQ(identity.role, "exporter");
    EXPECT_EQ(identity.subject, "id1");
    EXPECT_EQ(identity.plan, "pro");
    EXPECT_EQ(identity.claims_json, R"({"role":"exporter","scope":"a b:c","sub":"id1"})");
    EXPECT_TRUE(identity.authenticated && identity.has_scope("b:c") && !identity.has_scope("b"));
    EXPECT_FALSE(identity_of({"id1", "exporter", "", "", WallTime{}}).has_scope(""));
}

}  // namespace
}  // namespace millrace::auth
