// Identifiers, JSON paths and the paths of embeds: what a field is called.
#include <charconv>
#include <limits>

#include "grammar.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

// Every code point beyond ASCII counts as a letter: names are looked up in the catalog anyway.
bool in_identifier(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == ' ' || byte == '$' || byte >= 0x80;
}

bool in_json_key(char c) { return std::string_view("(-:.,>)").find(c) == std::string_view::npos; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string unescaped(std::string_view quoted_text) {
    std::string out;
    const std::string_view inner = quoted_text.substr(1, quoted_text.size() - 2);
    out.reserve(inner.size());
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] == '\\') ++i;
        out += inner[i];
    }
    return out;
}

// Blanks around a dash do not count: "a - b" is a-b.
std::string dashed(std::string_view raw) {
    if (raw.find(' ') == std::string_view::npos) return std::string(raw);
    std::string out;
    for (std::string_view piece : text::split(raw, '-')) {
        if (piece.data() != raw.data()) out += '-';
        out += text::trim(piece);
    }
    return out;
}

// A dash joins identifiers unless it begins an arrow.
bool dash(Cursor& c) {
    return c.attempt([&] { return c.take('-') && c.not_followed_by('>'); });
}

template <class Piece>
bool separated_by_dash(Cursor& c, Piece piece) {
    if (!piece()) return false;
    while (dash(c))
        if (!piece()) return false;
    return true;
}

bool json_key(Cursor& c, Name& out) {
    return c.labelled("any non reserved character different from: .,>()", [&] {
        const std::size_t start = c.at();
        if (quoted(c, out.raw)) return out.quoted = true;
        if (c.at() != start) return false;
        const bool ok = separated_by_dash(c, [&] { return c.take_while(in_json_key) > 0; });
        out = {c.since(start), false};
        return ok;
    });
}

// An index ends where the next step, a cast, an order's direction, a list's next element or the text begins.
bool json_index_end(Cursor& c) {
    if (c.peek() == ')') return true;
    return c.ahead("->") || c.ahead("::") || c.ahead(".") || c.ahead(",") || c.end();
}

std::int64_t saturated(std::string_view digits) {
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{}) return value;
    return digits.starts_with('-') ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

bool json_index(Cursor& c, std::int64_t& out) {
    const std::size_t start = c.at();
    c.take('-');
    if (c.take_while(is_digit, {"digit"}) == 0) return false;
    out = saturated(c.since(start));
    return json_index_end(c);
}

bool json_operand(Cursor& c, JsonStep& step) {
    std::int64_t index = 0;
    if (c.attempt([&] { return json_index(c, index); })) {
        step.key = index;
        return true;
    }
    Name key;
    if (!c.attempt([&] { return json_key(c, key); })) return false;
    step.key = key.text();
    return true;
}

bool arrow(Cursor& c, std::string_view which) {
    return c.attempt([&] { return c.literal(which); });
}

}  // namespace

std::string Name::text() const { return quoted ? unescaped(raw) : dashed(raw); }

std::string Scalar::text() const { return quoted ? unescaped(raw) : std::string(raw); }

bool identifier(Cursor& c, std::string_view& out) {
    const std::size_t start = c.at();
    if (c.take_while(in_identifier, {"letter", "digit"}) == 0) return false;
    out = text::trim(c.since(start));
    return true;
}

bool quoted(Cursor& c, std::string_view& out) {
    const std::size_t start = c.at();
    if (!c.take('"')) return false;
    for (;;) {
        c.take_while([](char ch) { return ch != '"' && ch != '\\'; });
        if (c.done()) return c.take('\\') || c.take('"');
        if (c.peek() == '"') break;
        c.take('\\');
        if (!c.take_any()) return false;
    }
    c.take('"');
    out = c.since(start);
    return true;
}

bool name(Cursor& c, Name& out) {
    return c.labelled("field name (* or [a..z0..9_$])", [&] {
        const std::size_t start = c.at();
        if (quoted(c, out.raw)) return out.quoted = true;
        if (c.at() != start) return false;
        std::string_view piece;
        const bool ok = separated_by_dash(c, [&] { return identifier(c, piece); });
        out = {text::trim(c.since(start)), false};
        return ok;
    });
}

bool names(Cursor& c, std::vector<std::string>& out) {
    Name one;
    for (;;) {
        if (!name(c, one)) return false;
        if (out.size() == columns_max) return c.exceed("too many columns");
        out.push_back(one.text());
        if (!c.attempt([&] {
                c.skip_blanks();
                return c.take(',');
            }))
            return true;
        c.skip_blanks();
    }
}

bool json_path(Cursor& c, std::vector<JsonStep>& out) {
    for (;;) {
        JsonStep step;
        if (arrow(c, "->>")) {
            step.as_text = true;
        } else if (!arrow(c, "->")) {
            return true;
        }
        if (out.size() == json_steps_max) return c.exceed("the JSON path is too long");
        if (!json_operand(c, step)) return false;
        out.push_back(std::move(step));
    }
}

bool field(Cursor& c, FieldPath& out) {
    c.skip_blanks();
    Name column;
    if (!name(c, column)) return false;
    out.column = column.text();
    if (!json_path(c, out.json)) return false;
    c.skip_blanks();
    return true;
}

bool delimiter(Cursor& c) { return c.take_named('.', "delimiter (.)"); }

bool tree_path(Cursor& c, EmbedPath& path, FieldPath& out) {
    Name one;
    if (!name(c, one)) return false;
    while (delimiter(c)) {
        if (path.size() == depth_max) return c.exceed("the path is too deep");
        path.push_back(one.text());
        if (!name(c, one)) return false;
    }
    out.column = one.text();
    return json_path(c, out.json);
}

}  // namespace millrace::request
