// Which pages of other origins may read answers (Fetch, "CORS protocol"), as PostgREST decides it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/core/message.hpp"

namespace millrace::cors {

// No origins: every page may read what an anonymous request gives. Otherwise those that are named may, with credentials too.
using Origins = std::vector<std::string>;

// The answer to a preflight that is granted. Nothing for what is no preflight, or one that is not granted: then the request
// goes its usual way, and the browser finds no permission in its answer.
[[nodiscard]] std::optional<message::Reply> preflight(const message::Request& request, const Origins& origins);

// What a reply says to the page that asked for it.
void add_headers(const message::Request& request, const Origins& origins, message::HeaderBlock& headers);

}  // namespace millrace::cors
