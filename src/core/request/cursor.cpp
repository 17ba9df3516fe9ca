// Moves over a text, and says what was expected where a parse failed.
#include "cursor.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::request {
namespace {

std::size_t glyph_bytes(std::string_view text, std::size_t at) {
    constexpr std::size_t most = 4;  // of UTF-8; a text that is none may go on for longer
    std::size_t end = at + 1;
    while (end < text.size() && end - at < most && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
}

char32_t code_point(std::string_view glyph) {
    const auto lead = static_cast<unsigned char>(glyph[0]);
    char32_t point = glyph.size() == 1 ? lead : lead & (0xFFU >> (glyph.size() + 1));
    for (char c : glyph.substr(1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3F);
    return point;
}

// As Haskell shows a character: printable ASCII as it is, the rest escaped.
std::string shown(std::string_view glyph, char quote) {
    static constexpr std::array<std::string_view, 32> names = {
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a",   "b",   "t",  "n",   "v",   "f",  "r",  "SO", "SI",
        "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"};
    const char32_t point = code_point(glyph);
    std::string out(1, quote);
    if (point > 0x7F) {
        out += '\\' + std::to_string(static_cast<std::uint32_t>(point));
    } else if (point == 0x7F) {
        out += "\\DEL";
    } else if (point < 0x20) {
        out += '\\';
        out += names[point];
    } else {
        if (glyph[0] == quote || glyph[0] == '\\') out += '\\';
        out += glyph;
    }
    return out += quote;
}

std::string glyph(std::string_view text, std::size_t at, char quote) {
    if (at >= text.size()) return "end of input";
    return shown(text.substr(at, glyph_bytes(text, at)), quote);
}

std::string shown(const Expectation& one) {
    switch (one.kind) {
        case Expectation::Kind::name:
            break;
        case Expectation::Kind::literal:
            return '"' + std::string(one.word) + '"';
        case Expectation::Kind::character:
            return shown(std::string_view(&one.character, 1), '"');
    }
    return std::string(one.word);
}

Expectation character(char c) { return {Expectation::Kind::character, c, {}}; }
Expectation literally(std::string_view word) { return {Expectation::Kind::literal, '\0', word}; }

struct Position {
    std::size_t line = 1, column = 1;
};

Position position_of(std::string_view text, std::size_t at) {
    Position p;
    for (std::size_t i = 0; i < std::min(at, text.size()); ++i) {
        if (text[i] == '\n') {
            ++p.line;
            p.column = 1;
        } else if (text[i] == '\t') {
            p.column += 8 - (p.column - 1) % 8;
        } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
            ++p.column;
        }
    }
    return p;
}

}  // namespace

Trace& Trace::operator=(const Trace& other) {
    at = other.at;
    any = other.any;
    unexpected_at = other.unexpected_at;
    refused_at = other.refused_at;
    count = other.count;
    std::copy_n(other.expected.begin(), count, expected.begin());
    return *this;
}

void Trace::add(const Expectation& one) {
    const Expectation* end = expected.data() + count;
    if (count < expected_max && std::find(std::as_const(expected).data(), end, one) == end) expected[count++] = one;
}

void Trace::merge(const Trace& other) {
    if (!other.any || (any && other.at < at)) return;
    if (!any || other.at > at) {
        *this = other;
        return;
    }
    if (refused_at == nothing) refused_at = other.refused_at;
    if (unexpected_at == nothing) unexpected_at = other.unexpected_at;
    for (std::size_t i = 0; i < other.count; ++i) add(other.expected[i]);
}

void Trace::relabel(std::string_view label) {
    any = true;
    count = 1;
    expected[0] = {Expectation::Kind::name, '\0', label};
}

std::string Trace::details(std::string_view text) const {
    std::string out;
    if (refused_at != nothing) {
        out = "unexpected " + glyph(text, refused_at, '\'');
    } else if (unexpected_at != nothing) {
        out = "unexpected " + glyph(text, unexpected_at, '"');
    }
    for (std::size_t i = 0; i < count; ++i) {
        out += i == 0 ? (out.empty() ? "expecting " : " expecting ") : i + 1 == count ? " or " : ", ";
        out += shown(expected[i]);
    }
    return out.empty() ? "unknown parse error" : out;
}

bool Cursor::take(char c) {
    if (!done() && text_[at_] == c) {
        ++at_;
        forget();
        return true;
    }
    if (traced()) fail_at(at_, at_, character(c));
    return false;
}

bool Cursor::take_named(char c, std::string_view name) {
    return labelled(name, [&] { return take(c); });
}

bool Cursor::take_any() {
    if (done()) {
        if (traced()) expect({});
        return false;
    }
    ++at_;
    forget();
    return true;
}

bool Cursor::literal(std::string_view word) {
    const std::string_view here = rest();
    if (here.starts_with(word)) {
        at_ += word.size();
        forget();
        return true;
    }
    const std::size_t start = at_;
    for (std::size_t i = 0; i < here.size() && here[i] == word[i]; ++i) ++at_;
    if (at_ != start) forget();
    if (traced()) fail_at(start, at_, literally(word));
    return false;
}

bool Cursor::literal_any_case(std::string_view lower_word) {
    for (char c : lower_word) {
        const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        if (!take(peek() == upper ? upper : c)) return false;
    }
    return true;
}

bool Cursor::ahead(std::string_view word) {
    if (rest().starts_with(word)) return true;
    if (traced()) fail_at(at_, at_, literally(word));
    return false;
}

bool Cursor::end() {
    if (done()) return true;
    if (!traced()) return false;
    Trace found(at_, Trace::nothing);
    found.refused_at = at_;
    found.add({Expectation::Kind::name, '\0', "end of input"});
    trace_->merge(found);
    return false;
}

bool Cursor::not_followed_by(char c) {
    if (done() || text_[at_] != c) {
        if (traced()) fail_at(at_, at_, character(c));
        return true;
    }
    if (traced()) {
        Trace found(at_ + 1, Trace::nothing);
        found.refused_at = at_;
        trace_->merge(found);
    }
    return false;
}

void Cursor::skip_blanks() {
    take_while([](char c) { return c == ' ' || c == '\t'; });
}

bool Cursor::exceed(std::string_view message) {
    exceeded_ = message;
    return false;
}

void Cursor::forget() {
    if (trace_ == nullptr) return;
    trace_->any = false;
    trace_->unexpected_at = trace_->refused_at = Trace::nothing;
    trace_->count = 0;
}

void Cursor::expect(std::initializer_list<std::string_view> names) {
    Trace found(at_, at_);
    for (std::string_view name : names) found.add({Expectation::Kind::name, '\0', name});
    trace_->merge(found);
}

void Cursor::fail_at(std::size_t at, std::size_t found_at, Expectation one) {
    Trace found(at, found_at);
    found.add(one);
    trace_->merge(found);
}

Error parse_error(std::string_view what, std::string_view text, const Trace& trace, std::size_t shift) {
    const Position p = position_of(text, trace.at);
    std::string message = "\"failed to parse ";
    message += what;
    message += " (";
    message += text;
    message += ")\" (line " + std::to_string(p.line) + ", column " + std::to_string(p.column + (p.line == 1 ? shift : 0)) + ")";
    return Error::of(Fault::bad_query, std::move(message)).with_details(trace.details(text));
}

Error bound_error(std::string_view what, std::string_view message) {
    return Error::of(Fault::bad_query, "failed to parse " + std::string(what)).with_details(std::string(message));
}

}  // namespace millrace::request
