// Checks that a text is JSON and that its rows have the same keys. A scanner of our own because every library builds strings
// and numbers that nobody reads: Postgres parses the text again, and knows numbers that fit no double.
#include "json_scan.hpp"

#include <algorithm>
#include <numeric>

#include "grammar.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

int hex4(std::string_view s) {
    int value = 0;
    for (char c : s) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return s.size() == 4 ? value : -1;
}

void append_utf8(std::string& out, unsigned point) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0 | point >> 12);
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | point >> 18);
        out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    }
}

// The code point of the \uXXXX at `at` (which is moved past it), a surrogate pair taken together.
unsigned escaped_point(std::string_view raw, std::size_t& at) {
    const auto high = static_cast<unsigned>(hex4(raw.substr(at + 2, 4)));
    at += 6;
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high < 0xDC00 && raw.substr(at).starts_with("\\u")) {
        const auto low = static_cast<unsigned>(hex4(raw.substr(at + 2, 4)));
        if (low >= 0xDC00 && low <= 0xDFFF) {
            at += 6;
            return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;  // half a pair is no character
}

std::string plain(std::string_view raw) {  // the inside of a valid JSON string
    if (raw.find('\\') == std::string_view::npos) return std::string(raw);
    std::string out;
    for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] != '\\') {
            out += raw[at++];
        } else if (raw[at + 1] == 'u') {
            append_utf8(out, escaped_point(raw, at));
        } else {
            const auto which = std::string_view("bfnrt").find(raw[at + 1]);
            out += which == std::string_view::npos ? raw[at + 1] : "\b\f\n\r\t"[which];
            at += 2;
        }
    }
    return out;
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    JsonScan run() {
        blanks();
        scan_.shape = peek() == '{' ? JsonShape::object : peek() == '[' ? JsonShape::array : JsonShape::scalar;
        const bool ok = scan_.shape == JsonShape::object ? row() : scan_.shape == JsonShape::array ? rows() : value(0);
        blanks();
        scan_.valid = ok && at_ == text_.size();
        return std::move(scan_);
    }

private:
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
            ++at_;
    }

    bool word(std::string_view wanted) {
        if (!text_.substr(at_).starts_with(wanted)) return false;
        at_ += wanted.size();
        return true;
    }

    bool escape() {
        const char c = peek();
        ++at_;
        if (c != 'u') return c != '\0' && std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
        if (hex4(text_.substr(std::min(at_, text_.size()), 4)) < 0) return false;
        at_ += 4;
        return true;
    }

    bool string(std::string_view& inside) {
        if (!take('"')) return false;
        const std::size_t start = at_;
        while (at_ < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at_++]);
            if (c == '"') {
                inside = text_.substr(start, at_ - 1 - start);
                return true;
            }
            if (c < 0x20 || (c == '\\' && !escape())) return false;
        }
        return false;
    }

    bool digits() {
        const std::size_t start = at_;
        while (peek() >= '0' && peek() <= '9') ++at_;
        return at_ != start;
    }

    bool number() {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (peek() != 'e' && peek() != 'E') return true;
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        return digits();
    }

    bool value(int depth) {
        blanks();
        std::string_view ignored;
        switch (peek()) {
            case '{':
                return members(depth + 1, [](std::string_view) {});
            case '[':
                return elements(depth + 1, [&] { return value(depth + 1); });
            case '"':
                return string(ignored);
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }

    bool too_deep(int depth) {
        if (depth > json_depth_max) scan_.too_deep = true;
        return scan_.too_deep;
    }

    template <class OnKey>
    bool members(int depth, OnKey on_key) {
        if (too_deep(depth) || !take('{')) return false;
        blanks();
        if (take('}')) return true;
        do {
            blanks();
            std::string_view key;
            if (!string(key)) return false;
            on_key(key);
            blanks();
            if (!take(':') || !value(depth)) return false;
            blanks();
        } while (take(','));
        return take('}');
    }

    template <class Element>
    bool elements(int depth, Element element) {
        if (too_deep(depth) || !take('[')) return false;
        blanks();
        if (take(']')) return true;
        do {
            blanks();
            if (!element()) return false;
            blanks();
        } while (take(','));
        return take(']');
    }

    bool rows() {
        return elements(1, [&] {
            if (peek() == '{') return row();
            ++scan_.rows;
            scan_.uniform = false;
            return value(1);
        });
    }

    bool row() {
        const bool first = scan_.rows++ == 0;
        std::size_t next = 0, distinct = 0;
        const bool ok = members(2, [&](std::string_view key) { first ? learn(key) : compare(key, next, distinct); });
        if (!first && distinct != scan_.keys.size()) scan_.uniform = false;
        return ok;
    }

    void learn(std::string_view raw) {
        std::string key = plain(raw);
        if (find(key) != scan_.keys.size()) return;
        if (scan_.keys.size() == columns_max) {
            scan_.too_many_keys = true;
            return;
        }
        scan_.keys.push_back(std::move(key));
        seen_in_.push_back(0);
    }

    // Rows mostly name their keys in one order, so the next one is tried first.
    void compare(std::string_view raw, std::size_t& next, std::size_t& distinct) {
        if (!scan_.uniform) return;
        std::size_t at = next;
        if (at >= scan_.keys.size() || scan_.keys[at] != raw) at = find_sorted(plain(raw));
        if (at == scan_.keys.size()) {
            scan_.uniform = false;
            return;
        }
        next = at + 1;
        if (seen_in_[at] == scan_.rows) return;
        seen_in_[at] = scan_.rows;
        ++distinct;
    }

    [[nodiscard]] std::size_t find(std::string_view key) const {
        return static_cast<std::size_t>(std::ranges::find(scan_.keys, key) - scan_.keys.begin());
    }

    // For rows in another order: many keys in many rows must not cost their product.
    [[nodiscard]] std::size_t find_sorted(std::string_view key) {
        if (sorted_.empty()) {
            sorted_.resize(scan_.keys.size());
            std::iota(sorted_.begin(), sorted_.end(), std::size_t{0});
            std::ranges::sort(sorted_, {}, [&](std::size_t i) -> std::string_view { return scan_.keys[i]; });
        }
        const auto at =
            std::ranges::lower_bound(sorted_, key, {}, [&](std::size_t i) -> std::string_view { return scan_.keys[i]; });
        return at != sorted_.end() && scan_.keys[*at] == key ? *at : scan_.keys.size();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    JsonScan scan_;
    std::vector<std::size_t> sorted_;   // indices of the keys, sorted by key
    std::vector<std::size_t> seen_in_;  // the last row in which each key was seen
};

}  // namespace

JsonScan scan_json(std::string_view text) { return Scanner(text).run(); }

}  // namespace millrace::request
