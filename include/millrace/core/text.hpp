// Text rules that several modules share: ASCII case, numbers, percent-decoding, JSON strings, SQL identifiers, suggestions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::text {

[[nodiscard]] bool iequals(std::string_view a, std::string_view b);  // ASCII only
[[nodiscard]] std::string lower(std::string_view s);                 // ASCII only
[[nodiscard]] std::string_view trim(std::string_view s);             // spaces and tabs (OWS)
[[nodiscard]] std::vector<std::string_view> split(std::string_view s, char separator);
[[nodiscard]] std::optional<std::int64_t> to_int(std::string_view s);  // whole string, optional sign, no overflow

// RFC 3986 §2.1; nothing when a '%' is not followed by two hex digits. plus_is_space: as in query strings.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view s, bool plus_is_space = false);
[[nodiscard]] std::string percent_encode(std::string_view s);

void append_json_string(std::string& out, std::string_view s);  // with its quotes, RFC 8259 §7
[[nodiscard]] bool valid_utf8(std::string_view s);

[[nodiscard]] std::string quote_identifier(std::string_view name);  // "a""b", as Postgres' quote_ident does when it must
[[nodiscard]] std::string quote_literal(std::string_view value);    // for DDL only; values of requests are parameters

// The candidate closest to `word` by edit distance, when it is close enough to be meant; else nothing.
[[nodiscard]] std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

// The candidate most like `word`, of those whose likeness is at least `least`: 1 less the share of letters to be changed. As
// PostgREST does it, so that hints are the same.
[[nodiscard]] std::optional<std::string> most_similar(std::string_view word, std::span<const std::string> candidates,
                                                      double least);

// Sixteen bytes at a step; stable across processes and builds of one byte order. Not for secrets.
[[nodiscard]] std::uint64_t hash64(std::string_view s, std::uint64_t seed = 0);

// Of the keys of an unordered map: a third of what the standard's costs.
struct Hash {
    [[nodiscard]] std::size_t operator()(std::string_view s) const { return hash64(s); }
};

// Two lower-case digits for each byte.
void append_hex(std::string& out, std::span<const unsigned char> bytes);
[[nodiscard]] std::string hex(std::span<const unsigned char> bytes);
[[nodiscard]] std::span<const unsigned char> bytes_of(std::string_view s);  // the same bytes

using Sha256 = std::array<unsigned char, 32>;
[[nodiscard]] Sha256 sha256(std::string_view bytes);

}  // namespace millrace::text
