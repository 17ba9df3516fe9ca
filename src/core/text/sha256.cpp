// SHA-256 of short texts: what OpenSSL looks up and allocates for each digest costs more than the digest, so it is kept.
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "millrace/core/text.hpp"

namespace millrace::text {
namespace {

struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

Sha256 sha256(std::string_view bytes) {
    thread_local const std::unique_ptr<EVP_MD, Free> algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    Sha256 digest{};
    const bool made = algorithm && context && EVP_DigestInit_ex(context.get(), algorithm.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    if (!made) throw std::runtime_error("OpenSSL makes no SHA-256");  // anything else would let two keys meet
    return digest;
}

}  // namespace millrace::text
