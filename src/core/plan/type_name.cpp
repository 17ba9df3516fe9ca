// Decides whether a cast's text is a type's name and nothing more.
#include "type_name.hpp"

#include <cstddef>

namespace millrace::plan {
namespace {

constexpr std::size_t type_name_bytes_max = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return starts_word(c) || is_digit(c); }

struct Cursor {
    std::string_view rest;

    [[nodiscard]] char peek() const { return rest.empty() ? '\0' : rest.front(); }
    bool take(char c) {
        if (peek() != c || rest.empty()) return false;
        rest.remove_prefix(1);
        return true;
    }
    template <class Predicate>
    std::size_t take_while(Predicate wanted) {
        std::size_t n = 0;
        while (n < rest.size() && wanted(rest[n])) ++n;
        rest.remove_prefix(n);
        return n;
    }
    bool take_number() { return take_while(is_digit) > 0; }
    void skip_spaces() {
        take_while([](char c) { return c == ' '; });
    }
};

bool take_quoted(Cursor& at) {
    if (!at.take('"')) return false;
    const std::size_t n = at.take_while([](char c) { return c != '"' && c != '\0'; });
    return n > 0 && at.take('"');
}

bool take_word(Cursor& at) {
    if (at.peek() == '"') return take_quoted(at);
    if (!starts_word(at.peek())) return false;
    at.take_while(continues_word);
    return true;
}

bool take_modifier(Cursor& at) {  // "(10,2)", the parenthesis already seen
    do {
        at.skip_spaces();
        if (!at.take_number()) return false;
        at.skip_spaces();
    } while (at.take(','));
    return at.take(')');
}

bool take_brackets(Cursor& at) {  // "[]" and "[3]" up to the end
    while (at.take('[')) {
        at.take_number();
        if (!at.take(']')) return false;
    }
    return at.rest.empty();
}

}  // namespace

bool is_type_name(std::string_view text) {
    if (text.size() > type_name_bytes_max) return false;
    Cursor at{text};
    if (!take_word(at)) return false;
    while (!at.rest.empty() && at.peek() != '[') {
        const bool dotted = at.take('.');
        if (!dotted) at.skip_spaces();
        if (!dotted && at.take('(')) {
            if (!take_modifier(at)) return false;
        } else if (!take_word(at)) {
            return false;
        }
    }
    return take_brackets(at);
}

}  // namespace millrace::plan
