// What OpenSSL needs of Authorities.
#pragma once

#include <openssl/types.h>

#include "millrace/core/routes.hpp"

namespace millrace::services {

[[nodiscard]] SSL_CTX* context_of(const routes::Authorities& authorities);

}  // namespace millrace::services
