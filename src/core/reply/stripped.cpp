// Leaves out what is null in the objects of JSON that Postgres printed, as json_strip_nulls() does: at any depth, but not in
// arrays.
#include "stripped.hpp"

#include <algorithm>

namespace millrace::reply {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool ends_scalar(char c) { return c == ',' || c == '}' || c == ']' || is_space(c); }

// Copies JSON token by token; a member is written only once its value is known not to be null.
class Stripper {
public:
    Stripper(std::string& out, std::string_view json) : out_(out), json_(json) {}

    void run() {
        while (at_ < json_.size()) {
            const char c = json_[at_];
            if (is_space(c) || c == ',') {
                ++at_;
            } else if (c == '{' || c == '[') {
                open(c);
            } else if (c == '}' || c == ']') {
                close(c);
            } else if (c == '"') {
                string();
            } else {
                scalar();
            }
        }
    }

private:
    struct Level {
        bool object = false, empty = true;
    };

    // What stands before a value: a comma, and in an object its key.
    void begin_value() {
        if (levels_.empty()) return;
        if (!levels_.back().empty) out_ += ',';
        levels_.back().empty = false;
        if (!levels_.back().object) return;
        out_ += key_;
        out_ += ':';
        key_ = {};
    }

    void open(char c) {
        begin_value();
        levels_.push_back({c == '{', true});
        out_ += c;
        ++at_;
    }

    void close(char c) {
        if (!levels_.empty()) levels_.pop_back();
        out_ += c;
        ++at_;
    }

    void string() {
        const std::string_view text = take_string();
        if (!levels_.empty() && levels_.back().object && key_.empty()) {
            key_ = text;
            at_ = std::min(json_.find(':', at_), json_.size() - 1) + 1;
            return;
        }
        begin_value();
        out_ += text;
    }

    std::string_view take_string() {
        const std::size_t start = at_++;
        while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, json_.size());
        return json_.substr(start, at_ - start);
    }

    void scalar() {
        const std::size_t start = at_;
        while (at_ < json_.size() && !ends_scalar(json_[at_])) ++at_;
        const std::string_view text = json_.substr(start, at_ - start);
        if (text == "null" && !levels_.empty() && levels_.back().object) {
            key_ = {};
            return;
        }
        begin_value();
        out_ += text;
    }

    std::string& out_;
    std::string_view json_;
    std::size_t at_ = 0;
    std::vector<Level> levels_;
    std::string_view key_;  // read, its value not yet
};

}  // namespace

void append_without_nulls(std::string& out, std::string_view json) {
    // Numbers and strings, and what has no null in it, are as they should be, spaces aside.
    if (json.find("null") == std::string_view::npos) {
        out += json;
        return;
    }
    Stripper(out, json).run();
}

}  // namespace millrace::reply
