// Builds OpenSSL's keys from numbers, and says which algorithms a key may be used with.
#include "key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>

namespace millrace::auth {
namespace {

constexpr int rsa_bits_min = 2048;   // RFC 7518 §3.3
constexpr int rsa_bits_max = 16384;  // a larger modulus makes each token a burden

struct FreeNumber {
    void operator()(BIGNUM* n) const { BN_free(n); }
};
struct FreeBuilder {
    void operator()(OSSL_PARAM_BLD* b) const { OSSL_PARAM_BLD_free(b); }
};
struct FreeParameters {
    void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
struct FreeContext {
    void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder>;
using Parameters = std::unique_ptr<OSSL_PARAM, FreeParameters>;
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

const unsigned char* bytes(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

Number number(std::string_view big_endian) {
    return Number(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

PublicKey from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    return PublicKey(key);
}

// Is it a point of its curve, an odd modulus, and so on?
bool sound(EVP_PKEY* key) {
    const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
    const auto* row = std::ranges::find(algorithms, name, &Algorithm::name);
    return row == algorithms.end() ? nullptr : row;
}

bool Key::fits(const Algorithm& algorithm) const {
    if (only != nullptr && only->name != algorithm.name) return false;
    switch (algorithm.family) {
        case Family::hmac:
            return secret.size() >= algorithm.digest_bytes;  // RFC 7518 §3.2
        case Family::rsa_pkcs1:
        case Family::rsa_pss:
            return rsa != nullptr;
        case Family::ecdsa:
            return ec != nullptr && curve == algorithm.curve;
    }
    return false;
}

std::optional<Key> plain_secret(std::string secret) {
    if (secret.size() < 32) return std::nullopt;
    Key key;
    key.secret = std::move(secret);
    return key;
}

PublicKey rsa_key(std::string_view modulus, std::string_view exponent) {
    if (modulus.size() > rsa_bits_max / 8 || exponent.empty() || exponent.size() > 8) return nullptr;
    const Number n = number(modulus), e = number(exponent);
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || BN_num_bits(n.get()) < rsa_bits_min || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    return from_parameters("RSA", builder.get());
}

PublicKey ec_key(std::string_view curve, std::string_view x, std::string_view y) {
    const std::string point = std::string("\x04").append(x).append(y);
    const std::string name(curve);
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, name.c_str(), 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return nullptr;
    PublicKey key = from_parameters("EC", builder.get());
    return key && sound(key.get()) ? std::move(key) : nullptr;
}

}  // namespace millrace::auth
