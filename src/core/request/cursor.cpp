// Moves over a text, and says what was expected where a parse failed.
#include "cursor.hpp"

#include <algorithm>
#include <array>

namespace millrace::request {
namespace {

std::size_t glyph_bytes(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
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

std::string quoted(std::string_view word) { return '"' + std::string(word) + '"'; }

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

void Trace::merge(Trace other) {
    if (!other.any) return;
    if (!any || other.at > at) {
        *this = std::move(other);
        return;
    }
    if (other.at < at) return;
    if (refused.empty()) refused = std::move(other.refused);
    if (!unexpected) unexpected = std::move(other.unexpected);
    for (auto& name : other.expected)
        if (std::ranges::find(expected, name) == expected.end()) expected.push_back(std::move(name));
}

std::string Trace::details() const {
    if (refused.empty() && !unexpected && expected.empty()) return "unknown parse error";
    std::string out;
    if (!refused.empty() || unexpected) {
        out += "unexpected ";
        out += !refused.empty() ? refused : unexpected->empty() ? "end of input" : *unexpected;
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        out += i == 0 ? (out.empty() ? "expecting " : " expecting ") : i + 1 == expected.size() ? " or " : ", ";
        out += expected[i];
    }
    return out;
}

bool Cursor::take(char c) {
    if (!done() && text_[at_] == c) {
        ++at_;
        forget();
        return true;
    }
    if (traced()) fail_at(at_, at_, shown(std::string_view(&c, 1), '"'));
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
    if (traced()) fail_at(start, at_, quoted(word));
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
    if (traced()) fail_at(at_, at_, quoted(word));
    return false;
}

bool Cursor::end() {
    if (done()) return true;
    if (!traced()) return false;
    Trace found{at_, true, std::nullopt, shown(text_.substr(at_, glyph_bytes(text_, at_)), '\''), {"end of input"}};
    trace_->merge(std::move(found));
    return false;
}

bool Cursor::not_followed_by(char c) {
    if (done() || text_[at_] != c) {
        if (traced()) fail_at(at_, at_, shown(std::string_view(&c, 1), '"'));
        return true;
    }
    if (traced()) trace_->merge(Trace{at_ + 1, true, std::nullopt, shown(std::string_view(&c, 1), '\''), {}});
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
    if (trace_ != nullptr) *trace_ = Trace{};
}

void Cursor::expect(std::initializer_list<std::string_view> names) {
    trace_->merge(Trace{at_, true, glyph(at_), {}, {names.begin(), names.end()}});
}

void Cursor::fail_at(std::size_t at, std::size_t found_at, std::string name) {
    trace_->merge(Trace{at, true, glyph(found_at), {}, {std::move(name)}});
}

std::string Cursor::glyph(std::size_t at) const {
    if (at >= text_.size()) return {};
    return shown(text_.substr(at, glyph_bytes(text_, at)), '"');
}

Error parse_error(std::string_view what, std::string_view text, const Trace& trace, std::size_t shift) {
    const Position p = position_of(text, trace.at);
    std::string message = "\"failed to parse ";
    message += what;
    message += " (";
    message += text;
    message += ")\" (line " + std::to_string(p.line) + ", column " + std::to_string(p.column + (p.line == 1 ? shift : 0)) + ")";
    return Error::of(Fault::bad_query, std::move(message)).with_details(trace.details());
}

Error bound_error(std::string_view what, std::string_view message) {
    return Error::of(Fault::bad_query, "failed to parse " + std::string(what)).with_details(std::string(message));
}

}  // namespace millrace::request
