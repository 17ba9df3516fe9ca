// A script's name: the digest of its source, as the server computes it.
#include <openssl/evp.h>

#include <array>
#include <utility>

#include "millrace/core/text.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::redis {

Script::Script(std::string text) : source(std::move(text)) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int count = 0;
    EVP_Digest(source.data(), source.size(), digest.data(), &count, EVP_sha1(), nullptr);
    sha1 = text::hex({digest.data(), count});
}

}  // namespace millrace::redis
