// Takes a body out of main's row: text as it is, bytes from their hex.
#include "finished_body.hpp"

namespace millrace::reply {
namespace {

unsigned nibble(char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

// encode(…, 'hex') writes lower case and nothing else.
std::string from_hex(std::string_view hex) {
    std::string out(hex.size() / 2, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(nibble(hex[2 * i]) << 4U | nibble(hex[2 * i + 1]));
    return out;
}

}  // namespace

message::Body finished_body(const sql::Script& script, const sql::Rows& rows) {
    if (rows.count() == 0 || rows.columns < 2 || rows.is_null(0, 1)) return {};
    const std::string_view cell = rows.at(0, 1);
    return script.binary ? from_hex(cell) : std::string(cell);
}

}  // namespace millrace::reply
