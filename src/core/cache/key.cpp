// Makes the key of an answer: everything that tells two answers apart, so that no two ever meet.
#include <array>
#include <charconv>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {
namespace {

constexpr std::size_t key_bytes_max = 200;

void append_number(std::string& out, std::uint64_t value, int base) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
    out.append(digits.begin(), end);
}

// A collision would serve one caller's answer to another, so only a cryptographic hash will do.
std::string hashed(std::string_view key) {
    std::string out = "sha256:";
    text::append_hex(out, text::sha256(key));
    return out;
}

}  // namespace

std::string make_key(const KeyParts& parts) {
    const std::array all = {parts.version, parts.schema, parts.resource, parts.query,
                            parts.media,   parts.range,  parts.role,     parts.claims};
    std::size_t bytes = 20;
    for (const auto part : all) bytes += part.size() + 5;
    std::string key;
    key.reserve(bytes);
    append_number(key, parts.deployment, 16);
    for (const auto part : all) {
        key += ',';
        append_number(key, part.size(), 10);
        key += ':';
        key += part;
    }
    return key.size() > key_bytes_max ? hashed(key) : key;
}

}  // namespace millrace::cache
