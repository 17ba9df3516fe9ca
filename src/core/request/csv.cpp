// CSV (RFC 4180) with a header line becomes a JSON array of objects, as PostgREST does: all values are strings, an unquoted
// NULL is null, empty lines do not count.
#include "csv.hpp"

#include <algorithm>

#include "grammar.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

struct Field {
    std::string text;
    bool quoted = false;
};

Error refused(std::string_view why) { return Error::of(Fault::bad_body, std::string(why)); }

class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}

    // The next line that is not empty; false at the end of the text.
    Result<bool> next(std::vector<Field>& out) {
        while (line_break()) continue;
        if (at_ == text_.size()) return false;
        out.clear();
        do {
            if (out.size() == columns_max) return refused("Too many CSV columns");
            out.emplace_back();
            if (!field(out.back())) return refused("Invalid CSV: a quote is not closed or stands inside a field");
        } while (take(','));
        if (at_ != text_.size()) line_break();
        return true;
    }

private:
    bool take(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool line_break() {
        const bool carriage = take('\r');
        return take('\n') || carriage;
    }

    bool field(Field& out) {
        if (take('"')) return quoted(out);
        const std::size_t start = at_;
        at_ = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
        out.text = text_.substr(start, at_ - start);
        return at_ == text_.size() || text_[at_] != '"';
    }

    bool quoted(Field& out) {
        out.quoted = true;
        for (;;) {
            const auto quote = text_.find('"', at_);
            if (quote == std::string_view::npos) return false;
            out.text += text_.substr(at_, quote - at_);
            at_ = quote + 1;
            if (!take('"')) break;
            out.text += '"';
        }
        return at_ == text_.size() || text_[at_] == ',' || text_[at_] == '\r' || text_[at_] == '\n';
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

void append_row(std::string& json, const std::vector<std::string>& keys, const std::vector<Field>& fields) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        json += i == 0 ? '{' : ',';
        text::append_json_string(json, keys[i]);
        json += ':';
        if (!fields[i].quoted && fields[i].text == "NULL") {
            json += "null";
        } else {
            text::append_json_string(json, fields[i].text);
        }
    }
    json += '}';
}

Result<std::vector<std::string>> header(Lines& lines) {
    std::vector<Field> fields;
    auto found = lines.next(fields);
    if (!found) return std::move(found).error();
    if (!*found) return refused("Empty or invalid CSV");
    std::vector<std::string> keys;
    for (Field& field : fields) {
        if (std::ranges::find(keys, field.text) != keys.end()) return refused("A CSV column is named twice");
        keys.push_back(std::move(field.text));
    }
    return keys;
}

}  // namespace

Result<Payload> read_csv(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the byte order mark that spreadsheets write
    Lines lines(text);
    auto keys = header(lines);
    if (!keys) return std::move(keys).error();
    Payload out;
    out.is_array = true;
    out.json.reserve(text.size() * 2);
    out.json = "[";
    std::vector<Field> fields;
    for (;;) {
        auto more = lines.next(fields);
        if (!more) return std::move(more).error();
        if (!*more) break;
        if (fields.size() != keys->size()) return refused("All lines must have same number of fields");
        if (out.rows++ > 0) out.json += ',';
        append_row(out.json, *keys, fields);
    }
    out.json += ']';
    out.keys = *std::move(keys);
    return out;
}

}  // namespace millrace::request
