// Signatures: the vectors of RFC 7515, keys made here, and tokens that somebody made up.
#include <gtest/gtest.h>

#include "millrace/core/auth.hpp"
#include "signer.hpp"

namespace millrace::auth {
namespace {

using namespace testing;

const std::string secret = "reallyreallyreallyreallyverysafe";

std::shared_ptr<const Keys> keys(const std::string& text, bool is_base64 = false) {
    auto read = Keys::read(text, is_base64);
    EXPECT_TRUE(read) << text;
    return read ? *read : nullptr;
}

std::string verdict(const Keys& keys, std::string_view token) {
    auto payload = keys.verify(token);
    if (payload) return "valid: " + *payload;
    const Error& error = payload.error();
    return std::to_string(error.status) + " " + error.code + " " + error.message +
           (error.details ? " | " + *error.details : "");
}

constexpr const char* no_match = "401 PGRST301 No suitable key or wrong key type | None of the keys was able to decode the JWT";
constexpr const char* no_candidate =
    "401 PGRST301 No suitable key or wrong key type | No suitable key was found to decode the JWT";
constexpr const char* broken = "401 PGRST301 JWT cryptographic operation failed";

const std::string joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

struct Vector {
    const char* name;
    std::string key, token;
};

std::vector<Vector> rfc7515() {
    return {
        {"A.1 HS256",
         R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
         "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + joe + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
        {"A.2 RS256",
         R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Q)"
         R"(lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo)"
         R"(7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2P)"
         R"(AcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
         "eyJhbGciOiJSUzI1NiJ9." + joe +
             ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
             "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ"
             "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
             "eOkHWEsqtF"
             "ZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
        {"A.3 ES256",
         R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYj)"
         R"(KIWI5a0"})",
         "eyJhbGciOiJFUzI1NiJ9." + joe +
             ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
        {"A.4 ES512",
         R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk)"
         R"(","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
         "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
         "7Xdt"
         "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
    };
}

TEST(JwtKeys, verify_the_vectors_of_rfc_7515) {
    for (const auto& vector : rfc7515())
        EXPECT_TRUE(verdict(*keys(vector.key), vector.token).starts_with("valid: ")) << vector.name;
}

TEST(JwtKeys, refuse_a_token_with_any_character_changed) {
    for (const auto& vector : rfc7515()) {
        const auto with = keys(vector.key);
        for (std::size_t i = 0; i < vector.token.size(); i += 7) {
            std::string token = vector.token;
            token[i] = token[i] == 'A' ? 'B' : 'A';
            EXPECT_FALSE(with->verify(token)) << vector.name << " at " << i;
        }
    }
}

TEST(JwtKeys, verify_each_hmac_when_the_secret_is_long_enough) {
    const std::string long_secret(64, 's');
    for (const auto& [alg, digest] : {std::pair{"HS256", EVP_sha256()}, {"HS384", EVP_sha384()}, {"HS512", EVP_sha512()}}) {
        const std::string text = head_and_payload(std::string(R"({"alg":")") + alg + "\"}", "{}");
        EXPECT_EQ(verdict(*keys(long_secret), text + "." + base64url(hmac(digest, long_secret, text))), "valid: {}") << alg;
    }
    const std::string text = head_and_payload(R"({"alg":"HS512"})", "{}");
    EXPECT_EQ(verdict(*keys(secret), text + "." + base64url(hmac(EVP_sha512(), secret, text))), no_candidate);
}

TEST(JwtKeys, verify_rsa_signatures_of_both_paddings) {
    const auto key = rsa(2048);
    const auto with = keys(jwk(key));
    for (const auto& [bits, digest] : {std::pair{"256", EVP_sha256()}, {"384", EVP_sha384()}, {"512", EVP_sha512()}}) {
        for (bool pss : {false, true}) {
            const std::string text = head_and_payload(std::string(R"({"alg":")") + (pss ? "PS" : "RS") + bits + "\"}", "{}");
            EXPECT_EQ(verdict(*with, text + "." + base64url(sign(key, digest, text, pss))), "valid: {}") << bits << pss;
            EXPECT_EQ(verdict(*with, text + "." + base64url(sign(key, digest, text, !pss))), no_match) << bits << pss;
        }
    }
}

struct Curve {
    const char* alg;
    const char* name;
    int bytes;
    const EVP_MD* digest;
};

TEST(JwtKeys, verify_ecdsa_on_its_own_curve_only) {
    const Curve curves[] = {
        {"ES256", "P-256", 32, EVP_sha256()}, {"ES384", "P-384", 48, EVP_sha384()}, {"ES512", "P-521", 66, EVP_sha512()}};
    for (const auto& curve : curves) {
        const auto key = ec(curve.name);
        const auto with = keys(ec_jwk(key, curve.name, curve.bytes));
        const std::string text = head_and_payload(std::string(R"({"alg":")") + curve.alg + "\"}", "{}");
        const std::string der = sign(key, curve.digest, text), raw = raw_of(der, curve.bytes);
        EXPECT_EQ(verdict(*with, text + "." + base64url(raw)), "valid: {}") << curve.alg;
        EXPECT_EQ(verdict(*with, text + "." + base64url(der)), no_match) << "DER is no JWS signature";
        EXPECT_EQ(verdict(*with, text + "." + base64url(raw + '\0')), no_match);
        EXPECT_EQ(verdict(*with, text + "." + base64url(std::string(raw.size(), '\0'))), no_match)
            << "r = s = 0, CVE-2022-21449";
        for (const auto& other : curves) {
            if (other.alg == curve.alg) continue;
            const std::string wrong = head_and_payload(std::string(R"({"alg":")") + other.alg + "\"}", "{}");
            EXPECT_EQ(verdict(*with, wrong + "." + base64url(raw_of(sign(key, other.digest, wrong), curve.bytes))),
                      no_candidate);
        }
    }
}

TEST(JwtKeys, never_take_the_public_key_for_a_secret) {
    const auto key = rsa(2048);
    const std::string published = jwk(key);
    const auto with = keys(published);
    EXPECT_EQ(verdict(*with, hs256(published, "{}")), no_candidate);
    EXPECT_EQ(verdict(*with, hs256(number(key, OSSL_PKEY_PARAM_RSA_N), "{}")), no_candidate);
}

TEST(JwtKeys, never_accept_none) {
    const auto with = keys(secret);
    for (const char* alg : {"none", "None", "NONE", "nOnE", "", "HS1", "hs256", "RSA1_5", "dir"}) {
        const std::string text = head_and_payload(std::string(R"({"alg":")") + alg + "\"}", R"({"role":"admin"})");
        for (const char* signature : {"", "AA"})
            EXPECT_TRUE(
                verdict(*with, text + "." + signature).starts_with("401 PGRST301 Wrong or unsupported encoding algorithm"))
                << alg;
    }
}

TEST(JwtKeys, respect_the_algorithm_of_a_jwk) {
    const auto key = rsa(2048);
    const std::string rs = head_and_payload(R"({"alg":"RS256"})", "{}");
    const std::string token = rs + "." + base64url(sign(key, EVP_sha256(), rs));
    EXPECT_EQ(verdict(*keys(jwk(key, R"(,"alg":"RS256")")), token), "valid: {}");
    EXPECT_EQ(verdict(*keys(jwk(key, R"(,"alg":"PS256")")), token), no_candidate);
    EXPECT_EQ(verdict(*keys(jwk(key, R"(,"use":"sig","key_ops":["verify"])")), token), "valid: {}");
}

TEST(JwtKeys, choose_from_a_set_by_key_id) {
    const auto a = rsa(2048), b = ec("P-256");
    const auto with = keys(R"({"keys":[)" + jwk(a, R"(,"kid":"a")") + "," + ec_jwk(b, "P-256", 32, R"(,"kid":"b")") +
                           R"(,{"kty":"OKP","crv":"Ed25519","x":"AA"},{"kty":"oct","k":"c2hvcnQ"}]})");
    const auto token = [&](const std::string& header) {
        const std::string text = head_and_payload(header, "{}");
        return text + "." + base64url(raw_of(sign(b, EVP_sha256(), text), 32));
    };
    EXPECT_EQ(verdict(*with, token(R"({"alg":"ES256","kid":"b"})")), "valid: {}");
    EXPECT_EQ(verdict(*with, token(R"({"alg":"ES256"})")), "valid: {}");
    EXPECT_EQ(verdict(*with, token(R"({"alg":"ES256","kid":"a"})")), no_candidate);
    EXPECT_EQ(verdict(*with, token(R"({"alg":"ES256","kid":"c"})")), no_candidate);
    EXPECT_EQ(verdict(*with, token(R"({"alg":"ES256","kid":7})")), broken);
    EXPECT_EQ(verdict(*keys(secret), hs256(secret, "{}", R"({"alg":"HS256","kid":"x"})")), no_candidate);
}

TEST(JwtKeys, say_what_is_wrong_with_hostile_tokens) {
    const auto with = keys(secret);
    const std::string good = hs256(secret, "{}");
    const std::string head = good.substr(0, good.rfind('.'));
    const std::pair<std::string, std::string> cases[] = {
        {"", "401 PGRST301 Empty JWT is sent in Authorization header"},
        {"a", "401 PGRST301 Expected 3 parts in JWT; got 1"},
        {"a.b", "401 PGRST301 Expected 3 parts in JWT; got 2"},
        {"a.b.c.d.e", "401 PGRST301 Expected 3 parts in JWT; got 5"},
        {"..", broken},
        {"quifquirndsjagnrgniur.fonvoienqhhdj.iuqvnvhojah", broken},
        {"!!!!.!!!!.!!!!", broken},
        {head + ".", no_match},
        {good + "=", broken},
        {good + "AAAA", no_match},
        {" " + good, broken},
        {good.substr(0, good.size() - 3), no_match},
        {hs256("another secret of more than 32 bytes", "{}"), no_match},
        {hs256(secret, "{}", "[]"), broken},
        {hs256(secret, "{}", "{}"), broken},
        {hs256(secret, "{}", R"({"alg":1})"), broken},
        {hs256(secret, "{}", R"({"alg":"HS256","crit":["exp"],"exp":1})"),
         "401 PGRST301 Wrong or unsupported encoding algorithm | Critical header parameters are not supported"},
        {std::string(16 * 1024 + 1, 'a'), "401 PGRST301 JWT is too long"},
        {hs256(secret, "{}", std::string(8000, '[')), broken},
    };
    for (const auto& [token, shown] : cases) EXPECT_EQ(verdict(*with, token), shown) << token.substr(0, 80);
    EXPECT_EQ(verdict(*with, good), "valid: {}");
}

TEST(JwtKeys, base64url_is_strict) {
    const std::string good = hs256(secret, R"({"role":"x"})");
    const auto with = keys(secret);
    EXPECT_TRUE(with->verify(good));
    // The last digit of 32 bytes carries two bits that no encoder sets: another digit would be another text for one signature.
    std::string other = good;
    other.back() = static_cast<char>(other.back() + 1);
    EXPECT_FALSE(with->verify(other));
    for (char c : {'+', '/', '=', '\n', ' ', '\0'}) {
        std::string token = good;
        token[5] = c;
        EXPECT_EQ(verdict(*with, token), broken);
    }
}

TEST(JwtKeys, secrets_that_are_no_keys_are_refused) {
    for (const char* text : {"short", R"({"kty":"oct","k":"c2hvcnQ"})", R"({"keys":[]})", R"({"keys":5})", "{}",
                             R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})",
                             R"({"kty":"EC","crv":"P-192","x":"AA","y":"AA"})", R"({"kty":"EC","crv":"","x":"","y":""})"})
        EXPECT_EQ(Keys::read(text, false).error().code, "PGRST300") << text;
    const std::string zeros(43, 'A');  // 32 bytes of zero: no point of the curve
    EXPECT_FALSE(Keys::read(R"({"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros + "\"}", false));
    EXPECT_FALSE(Keys::read(jwk(rsa(1024)), false)) << "RFC 7518 wants 2048 bits";
    EXPECT_FALSE(Keys::read(jwk(rsa(2048), R"(,"use":"enc")"), false));
    EXPECT_FALSE(Keys::read(jwk(rsa(2048), R"(,"alg":"ES256")"), false));
    EXPECT_TRUE(keys("")->empty());
}

TEST(JwtKeys, secrets_may_be_base64_of_either_alphabet) {
    const std::string bytes = std::string("\xFB\xFF\xFE", 3) + std::string(30, 'k');
    for (const std::string text :
         {"-__-a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr", "+//+a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"})
        EXPECT_EQ(verdict(*keys(text, true), hs256(bytes, "{}")), "valid: {}");
    EXPECT_FALSE(Keys::read("not base64!", true));
}

}  // namespace
}  // namespace millrace::auth
