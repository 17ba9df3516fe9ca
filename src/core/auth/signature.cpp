// Does a signature hold? RFC 7518 §3 on OpenSSL's EVP.
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "key.hpp"

namespace millrace::auth {
namespace {

struct FreeDigest {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigest>;
struct FreeSignature {
    void operator()(ECDSA_SIG* s) const { ECDSA_SIG_free(s); }
};

const unsigned char* bytes(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

const EVP_MD* digest_of(const Algorithm& algorithm) {
    return algorithm.digest_bytes == 32 ? EVP_sha256() : algorithm.digest_bytes == 48 ? EVP_sha384() : EVP_sha512();
}

bool hmac_holds(const Key& key, const Algorithm& algorithm, std::string_view text, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    if (HMAC(digest_of(algorithm), key.secret.data(), static_cast<int>(key.secret.size()), bytes(text), text.size(), mac.data(),
             &length) == nullptr)
        return false;
    return signature.size() == length && CRYPTO_memcmp(mac.data(), signature.data(), length) == 0;
}

bool public_key_holds(EVP_PKEY* key, const Algorithm& algorithm, std::string_view text, std::string_view signature) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* details = nullptr;  // owned by `context`
    if (!context || EVP_DigestVerifyInit(context.get(), &details, digest_of(algorithm), nullptr, key) != 1) return false;
    if (algorithm.family == Family::rsa_pss && (EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) != 1 ||
                                                EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

// JWS carries r and s side by side, OpenSSL wants them in DER (RFC 7518 §3.4).
std::string der_of(std::string_view raw, std::size_t coordinate_bytes) {
    if (raw.size() != 2 * coordinate_bytes) return {};
    const std::unique_ptr<ECDSA_SIG, FreeSignature> signature(ECDSA_SIG_new());
    const auto half = static_cast<int>(coordinate_bytes);
    BIGNUM* r = BN_bin2bn(bytes(raw), half, nullptr);
    BIGNUM* s = BN_bin2bn(bytes(raw) + half, half, nullptr);
    if (!signature || r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(signature.get(), &der);
    if (length <= 0) return {};
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return out;
}

}  // namespace

bool signature_holds(const Key& key, const Algorithm& algorithm, std::string_view signed_text, std::string_view signature) {
    bool holds = false;
    switch (algorithm.family) {
        case Family::hmac:
            holds = hmac_holds(key, algorithm, signed_text, signature);
            break;
        case Family::rsa_pkcs1:
        case Family::rsa_pss:
            holds = public_key_holds(key.rsa.get(), algorithm, signed_text, signature);
            break;
        case Family::ecdsa: {
            const std::string der = der_of(signature, algorithm.coordinate_bytes);
            holds = !der.empty() && public_key_holds(key.ec.get(), algorithm, signed_text, der);
            break;
        }
    }
    ERR_clear_error();  // a refused signature leaves entries in this thread's queue
    return holds;
}

}  // namespace millrace::auth
