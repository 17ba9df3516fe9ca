// Makes keys and signs tokens as an issuer would, independently of the code under test.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::auth::testing {

inline void require(bool ok) {
    if (!ok) throw std::runtime_error("OpenSSL failed in a test");
}

inline std::string base64url(std::string_view bytes) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) out += digits[bits >> (held - 6) & 63];
    }
    if (held > 0) out += digits[bits << (6 - held) & 63];
    return out;
}

inline std::string hmac(const EVP_MD* digest, std::string_view secret, std::string_view text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    require(HMAC(digest, secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()),
                 text.size(), mac, &length) != nullptr);
    return {reinterpret_cast<char*>(mac), length};
}

using PrivateKey = std::shared_ptr<EVP_PKEY>;

inline PrivateKey rsa(unsigned bits) { return {EVP_RSA_gen(bits), EVP_PKEY_free}; }
inline PrivateKey ec(const char* curve) { return {EVP_EC_gen(curve), EVP_PKEY_free}; }

inline std::string number(const PrivateKey& key, const char* name, int bytes = 0) {
    BIGNUM* n = nullptr;
    require(EVP_PKEY_get_bn_param(key.get(), name, &n) == 1);
    std::string out(static_cast<std::size_t>(bytes > 0 ? bytes : BN_num_bytes(n)), '\0');
    BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(n);
    return out;
}

inline std::string jwk(const PrivateKey& key, const std::string& more = {}) {
    return R"({"kty":"RSA","n":")" + base64url(number(key, OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
           base64url(number(key, OSSL_PKEY_PARAM_RSA_E)) + '"' + more + "}";
}

inline std::string ec_jwk(const PrivateKey& key, const std::string& curve, int bytes, const std::string& more = {}) {
    return R"({"kty":"EC","crv":")" + curve + R"(","x":")" + base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes)) +
           R"(","y":")" + base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes)) + '"' + more + "}";
}

inline std::string sign(const PrivateKey& key, const EVP_MD* digest, std::string_view text, bool pss = false) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* details = nullptr;
    require(EVP_DigestSignInit(context.get(), &details, digest, nullptr, key.get()) == 1);
    if (pss) {
        require(EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) == 1);
        require(EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    std::size_t length = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    require(EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) == 1);
    std::vector<unsigned char> out(length);
    require(EVP_DigestSign(context.get(), out.data(), &length, bytes, text.size()) == 1);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length)};
}

// r and s of a DER signature, side by side.
inline std::string raw_of(std::string_view der, int bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
    require(signature != nullptr);
    std::string out(static_cast<std::size_t>(2 * bytes), '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, bytes);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + bytes, bytes);
    return out;
}

inline std::string head_and_payload(std::string_view header, std::string_view payload) {
    return base64url(header) + "." + base64url(payload);
}

inline std::string hs256(std::string_view secret, std::string_view payload, std::string_view header = R"({"alg":"HS256"})") {
    const std::string text = head_and_payload(header, payload);
    return text + "." + base64url(hmac(EVP_sha256(), secret, text));
}

}  // namespace millrace::auth::testing
