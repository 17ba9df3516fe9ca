// Where something is asked by HTTP: an absolute URL with what RFC 9110 §4.2 lets it have, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::url {

struct Url {
    std::string text;        // as it was written
    bool encrypted = false;  // https
    std::string authority;   // "host[:port]", for the field Host
    std::string host, port;  // an IPv6 address without its brackets; 80 or 443 where no port was written
    std::string target;      // path and query; "" when there is neither
};
// "http[s]://host[:port][/path][?query]". Nothing when it is none, or has a user or a fragment.
[[nodiscard]] std::optional<Url> parse(std::string_view text);
// One whose target is put before the targets of others: without a query, and without a slash at its end.
[[nodiscard]] std::optional<Url> parse_base(std::string_view text);

}  // namespace millrace::url
