// Walks over valid JSON without reading it: only strings and brackets matter for where a value ends.
#include "raw_json.hpp"

#include <algorithm>

namespace millrace::batch {
namespace {

constexpr std::string_view blanks = " \t\r\n";

class Walk {
public:
    explicit Walk(std::string_view text) : text_(text) {}

    void skip_blanks() { at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size()); }

    // Is this the next character? Then it is passed.
    bool pass(char c) {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    std::string_view value() {
        skip_blanks();
        const std::size_t begin = at_;
        std::size_t depth = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (depth == 0 && (c == ',' || c == ':' || c == ']' || c == '}')) break;
            if (c == '"') skip_string();
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
        }
        const std::string_view found = text_.substr(begin, at_ - begin);
        return found.substr(0, found.find_last_not_of(blanks) + 1);
    }

private:
    // To the closing quote.
    void skip_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\') ++at_;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> raw_members(std::string_view object) {
    std::vector<std::pair<std::string_view, std::string_view>> members;
    Walk walk(object);
    if (!walk.pass('{') || walk.pass('}')) return members;
    do {
        const std::string_view name = walk.value();
        if (!walk.pass(':')) break;
        members.emplace_back(name, walk.value());
    } while (walk.pass(','));
    return members;
}

std::vector<std::string_view> raw_items(std::string_view array) {
    std::vector<std::string_view> items;
    Walk walk(array);
    if (!walk.pass('[') || walk.pass(']')) return items;
    do {
        items.push_back(walk.value());
    } while (walk.pass(','));
    return items;
}

}  // namespace millrace::batch
