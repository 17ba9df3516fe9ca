// Claims and callers: times, audience, role, and what an Authorization header makes of a request.
#include <gtest/gtest.h>

#include "millrace/core/auth.hpp"
#include "signer.hpp"

namespace millrace::auth {
namespace {

using namespace testing;

constexpr std::int64_t now_s = 1'700'000'000;
const WallTime now{std::chrono::seconds(now_s)};
const std::string secret = "reallyreallyreallyreallyverysafe";

std::string verdict(const Result<Identity>& identity) {
    if (!identity) return identity.error().code + " " + identity.error().message;
    return (identity->authenticated ? "role " : "anonymous ") + identity->role;
}

std::string judged(const std::string& payload, const config::AuthSettings& settings = {}) {
    return verdict(check_claims(payload, settings, now));
}

std::string at(const char* name, std::int64_t offset) {
    return std::string("{\"role\":\"r\",\"") + name + "\":" + std::to_string(now_s + offset) + "}";
}

TEST(JwtClaims, times_have_thirty_seconds_of_skew) {
    const std::pair<std::string, const char*> cases[] = {
        {at("exp", 1), "role r"},
        {at("exp", -30), "role r"},
        {at("exp", -31), "PGRST303 JWT expired"},
        {at("nbf", 30), "role r"},
        {at("nbf", 31), "PGRST303 JWT not yet valid"},
        {at("iat", 30), "role r"},
        {at("iat", 31), "PGRST303 JWT issued at future"},
        {R"({"role":"r","exp":1e300,"nbf":-1e300,"iat":0.5})", "role r"},
        {R"({"role":"r","exp":null,"nbf":null,"iat":null})", "role r"},
        {R"({"exp":"tomorrow"})", "PGRST303 The JWT 'exp' claim must be a number"},
        {R"({"nbf":true})", "PGRST303 The JWT 'nbf' claim must be a number"},
        {R"({"iat":[1]})", "PGRST303 The JWT 'iat' claim must be a number"},
    };
    for (const auto& [payload, shown] : cases) EXPECT_EQ(judged(payload), shown) << payload;
}

TEST(JwtClaims, an_identity_expires_with_its_token) {
    EXPECT_EQ(check_claims(at("exp", 60), {}, now)->expires, WallTime(std::chrono::seconds(now_s + 90)));
    EXPECT_EQ(check_claims("{}", {}, now)->expires, WallTime::max());
    EXPECT_EQ(check_claims(R"({"exp":1e18})", {}, now)->expires, WallTime::max());
}

TEST(JwtClaims, the_audience_must_be_ours_when_one_is_set) {
    config::AuthSettings ours;
    ours.jwt_audience = "ours";
    constexpr const char* wrong_type = "PGRST303 The JWT 'aud' claim must be a string or an array of strings";
    const std::pair<const char*, const char*> cases[] = {
        {R"({"role":"r","aud":"ours"})", "role r"},
        {R"({"role":"r","aud":["theirs","ours"]})", "role r"},
        {R"({"role":"r","aud":[]})", "role r"},
        {R"({"role":"r","aud":null})", "role r"},
        {R"({"role":"r"})", "role r"},
        {R"({"aud":"theirs"})", "PGRST303 JWT not in audience"},
        {R"({"aud":["theirs"]})", "PGRST303 JWT not in audience"},
        {R"({"aud":""})", "PGRST303 JWT not in audience"},
        {R"({"aud":5})", wrong_type},
        {R"({"aud":["ours",{}]})", wrong_type},
        {R"({"aud":{"ours":1}})", wrong_type},
    };
    for (const auto& [payload, shown] : cases) EXPECT_EQ(judged(payload, ours), shown) << payload;
    EXPECT_EQ(judged(R"({"role":"r","aud":"anybody"})"), "role r");
    EXPECT_EQ(judged(R"({"aud":5})"), wrong_type);
}

TEST(JwtClaims, the_role_is_found_by_path) {
    const std::string claims =
        R"({"role":"plain","a":{"b":["first","second"],"c d":{"e":"deep"}},"roles":["other","test_author","writer"],"n":null,"x":5})";
    const std::pair<const char*, const char*> cases[] = {
        {".role", "role plain"},
        {"$.role", "role plain"},
        {".a.b[0]", "role first"},
        {".a.b[1]", "role second"},
        {".a.b[2]", "role "},
        {".a.\"c d\".e", "role deep"},
        {"$.a['c d'].e", "role deep"},
        {"$['a'][\"b\"][0]", "role first"},
        {".missing.deeper", "role "},
        {".role.deeper", "role "},
        {".role[0]", "role "},
        {".a[0]", "role "},
        {".n", "role "},
        {".x", "PGRST303 The JWT role claim must be a string"},
        {".a", "PGRST303 The JWT role claim must be a string"},
        {".roles[?(@ == \"writer\")]", "role writer"},
        {"$.roles[?(@ == 'writer')]", "role writer"},
        {".roles[?(@ != \"other\")]", "role test_author"},
        {".roles[?(@ ^== \"test\")]", "role test_author"},
        {".roles[?(@ ==^ \"er\")]", "role other"},
        {".roles[?(@ *== \"rit\")]", "role writer"},
        {".roles[?(@ == \"nobody\")]", "role "},
        {".role[?(@ == \"plain\")]", "role "},
    };
    for (const auto& [path, shown] : cases) {
        config::AuthSettings settings;
        settings.jwt_role_claim = path;
        EXPECT_TRUE(valid_role_claim(path)) << path;
        EXPECT_EQ(judged(claims, settings), shown) << path;
    }
}

TEST(JwtClaims, paths_that_are_none_are_told_apart) {
    for (const char* path : {"", "$", "role", ".", "..a", ".a.", ".a[", ".a[]", ".a[-1]", ".a[x]", ".a[1", ".\"open", "['a]",
                             ".a b", ".a[?(@ == \"x\")].b", ".a[?(@ = \"x\")]", ".a[?(@ == x)]", ".a[99999999999999999999]"})
        EXPECT_FALSE(valid_role_claim(path)) << path;
}

TEST(JwtClaims, a_payload_that_is_no_object_is_refused) {
    for (const char* payload : {"", "5", "[]", "\"x\"", "{", "{\"a\":1}x", "null", "{\"a\":\xFF}"})
        EXPECT_EQ(judged(payload), "PGRST303 Parsing claims failed") << payload;
    EXPECT_EQ(check_claims(R"({"role":"r","x":1})", {}, now)->claims_json, R"({"role":"r","x":1})");
}

Result<Identity> caller(std::vector<message::Header> headers, const std::string& with = secret) {
    message::Request request;
    request.headers = std::move(headers);
    return identify(request, **Keys::read(with, false), {}, now);
}

TEST(Identify, a_request_without_a_token_is_anonymous) {
    EXPECT_EQ(verdict(caller({})), "anonymous ");
    EXPECT_EQ(verdict(caller({{"Authorization", "Basic dXNlcjpwYXNz"}})), "anonymous ");
    EXPECT_EQ(verdict(caller({{"Authorization", "Bearerish x"}})), "anonymous ");
    EXPECT_EQ(verdict(caller({}, "")), "anonymous ");
    EXPECT_EQ(caller({})->claims_json, "{}");
}

TEST(Identify, a_valid_token_gives_its_role) {
    const std::string token = hs256(secret, R"({"role":"author"})");
    for (const std::string scheme : {"Bearer ", "bearer ", "BEARER \t "}) {
        const std::string value = scheme + token;
        EXPECT_EQ(verdict(caller({{"authorization", value}})), "role author");
    }
}

TEST(Identify, a_refused_token_is_challenged) {
    const std::string expired = "Bearer " + hs256(secret, R"({"exp":1})");
    const auto refused = caller({{"Authorization", expired}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, 401);
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(refused.error().headers,
              (Headers{{"WWW-Authenticate", R"(Bearer error="invalid_token", error_description="JWT expired")"}}));
    EXPECT_EQ(verdict(caller({{"Authorization", "Bearer"}})), "PGRST301 Empty JWT is sent in Authorization header");
    EXPECT_EQ(verdict(caller({{"Authorization", expired}}, "")), "PGRST300 Server lacks JWT secret");
    EXPECT_EQ(anonymous_refused().headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
}

}  // namespace
}  // namespace millrace::auth
