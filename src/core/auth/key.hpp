// One key that verifies, and what it may verify.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::auth {

enum class Family : std::uint8_t { hmac, rsa_pkcs1, rsa_pss, ecdsa };

struct Algorithm {
    std::string_view name;
    Family family;
    const char* digest;
    std::size_t digest_bytes;
    std::string_view curve;  // of ECDSA
    std::size_t coordinate_bytes;
};

// RFC 7518 §3.1; "none" is not in the table.
inline constexpr std::array algorithms = {
    Algorithm{"HS256", Family::hmac, "SHA256", 32, "", 0},        Algorithm{"HS384", Family::hmac, "SHA384", 48, "", 0},
    Algorithm{"HS512", Family::hmac, "SHA512", 64, "", 0},        Algorithm{"RS256", Family::rsa_pkcs1, "SHA256", 32, "", 0},
    Algorithm{"RS384", Family::rsa_pkcs1, "SHA384", 48, "", 0},   Algorithm{"RS512", Family::rsa_pkcs1, "SHA512", 64, "", 0},
    Algorithm{"PS256", Family::rsa_pss, "SHA256", 32, "", 0},     Algorithm{"PS384", Family::rsa_pss, "SHA384", 48, "", 0},
    Algorithm{"PS512", Family::rsa_pss, "SHA512", 64, "", 0},     Algorithm{"ES256", Family::ecdsa, "SHA256", 32, "P-256", 32},
    Algorithm{"ES384", Family::ecdsa, "SHA384", 48, "P-384", 48}, Algorithm{"ES512", Family::ecdsa, "SHA512", 64, "P-521", 66},
};

[[nodiscard]] const Algorithm* find_algorithm(std::string_view name);

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using PublicKey = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Key {
    std::optional<std::string> id;
    const Algorithm* only = nullptr;  // the "alg" of a JWK
    std::string secret;               // of HMAC
    PublicKey rsa;
    PublicKey ec;
    std::string_view curve;  // of ec

    // RFC 8725 §3.1: a key is used with the algorithms that it was made for, and no others.
    [[nodiscard]] bool fits(const Algorithm& algorithm) const;
};

// Nothing when the text is no key that this build can use.
[[nodiscard]] std::optional<Key> plain_secret(std::string secret);
[[nodiscard]] PublicKey rsa_key(std::string_view modulus, std::string_view exponent);  // big-endian bytes
[[nodiscard]] PublicKey ec_key(std::string_view curve, std::string_view x, std::string_view y);

// Reads a JWK or a JWKS; keys of kinds that verify nothing here are left out (RFC 7517 §5). Nothing when it is neither.
[[nodiscard]] std::optional<std::vector<Key>> read_jwks(std::string_view json);

[[nodiscard]] bool signature_holds(const Key& key, const Algorithm& algorithm, std::string_view signed_text,
                                   std::string_view signature);

}  // namespace millrace::auth
