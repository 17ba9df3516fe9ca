// What OpenSSL needs of a Tls.
#pragma once

#include <openssl/types.h>

#include "millrace/io/http.hpp"

namespace millrace::http {

[[nodiscard]] SSL_CTX* context_of(const Tls& tls);

}  // namespace millrace::http
