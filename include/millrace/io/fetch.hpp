// One GET for the control plane: blocking, bounded in time and in size. Not for requests: it needs a thread to wait on.
#pragma once

#include <cstddef>
#include <string>

#include "millrace/core/base.hpp"

namespace millrace::fetch {

struct Limits {
    Duration patience = std::chrono::seconds(5);  // for all of it
    std::size_t bytes_max = 256 * 1024;
};

// The body of a 200 from a URL as core/url has it. Over https the certificate must be one that the system trusts, for that
// host; SSL_CERT_FILE names other authorities, as it does for OpenSSL. Redirections are not followed. Errors say what went
// wrong, in words for a log.
[[nodiscard]] Result<std::string> get(const std::string& url, const Limits& limits = {});

}  // namespace millrace::fetch
