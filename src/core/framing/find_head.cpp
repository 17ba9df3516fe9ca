// Finds where a request head ends in bytes that are still arriving, and refuses early what cannot become one.
#include <algorithm>
#include <millrace/core/framing.hpp>

#include "blank_lines.hpp"
#include "characters.hpp"

namespace millrace::framing {
namespace {

Error bad(std::string details) { return Error::of(Fault::bad_framing).with_details(std::move(details)); }

Error special_byte(char c) {
    if (c == '\n') return bad("A line ends with LF alone.");
    return bad("The head holds a control or non-ASCII byte.");
}

// The head is over its limit: is it the target alone that is so long?
Error too_large(std::string_view seen) {
    if (seen.find('\r') == std::string_view::npos) return Error::of(Fault::target_too_long);
    return Error::of(Fault::head_too_large);
}

bool ends_empty_line(std::string_view seen, std::size_t cr) { return cr >= 2 && seen.substr(cr - 2, 2) == "\r\n"; }

}  // namespace

Result<std::optional<std::size_t>> find_head(std::string_view buffer, const Limits& limits, std::size_t& scanned) {
    const std::string_view seen = buffer.substr(0, limits.head_bytes_max);
    const std::size_t start = skip_blank_lines(seen);
    if (start < seen.size() && seen[start] != '\r' && !is_tchar(seen[start])) return bad("The request line begins oddly.");
    std::size_t at = std::max(scanned, start);
    for (;;) {
        at = skip_plain(seen, at);
        scanned = at;
        if (at == seen.size()) break;
        if (seen[at] == '\t') {
            ++at;
            continue;
        }
        if (seen[at] != '\r') return special_byte(seen[at]);
        if (at + 1 == seen.size()) break;
        if (seen[at + 1] != '\n') return bad("A CR stands alone.");
        if (at == start) return bad("Too many empty lines stand before the request line.");
        if (ends_empty_line(seen, at)) return std::optional(at + 2);
        at += 2;
    }
    if (buffer.size() >= limits.head_bytes_max) return too_large(seen.substr(start));
    return std::optional<std::size_t>();
}

}  // namespace millrace::framing
