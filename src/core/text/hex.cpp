// Bytes as lower-case hexadecimal digits.
#include "millrace/core/text.hpp"

namespace millrace::text {

std::span<const unsigned char> bytes_of(std::string_view s) {
    return {reinterpret_cast<const unsigned char*>(s.data()), s.size()};
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.reserve(out.size() + 2 * bytes.size());
    for (const unsigned char byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

std::string hex(std::span<const unsigned char> bytes) {
    std::string out;
    append_hex(out, bytes);
    return out;
}

}  // namespace millrace::text
