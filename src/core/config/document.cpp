// Reads JSON with comments, and says where it is broken or says a thing twice.
#include "document.hpp"

#include <algorithm>
#include <set>

namespace millrace::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t file_bytes_max = 1024 * 1024;

// The parser takes the last of two equal keys in silence; whoever wrote them meant something else.
class KeyWatch {
public:
    bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
        if (event != Json::parse_event_t::key || depth > 2) return true;
        const auto& key = parsed.get_ref<const std::string&>();
        if (depth == 1) {
            section_ = key;
            inner_.clear();
            if (!top_.insert(key).second) repeated.push_back("/" + key);
        } else if (!inner_.insert(key).second) {
            repeated.push_back("/" + section_ + "/" + key);
        }
        return true;
    }

    std::vector<std::string> repeated;

private:
    std::string section_;
    std::set<std::string> top_, inner_;
};

// "config.json:3:5", as compilers and editors write it.
std::string place(const std::string& file, std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::ranges::count(before, '\n');
    const auto newline = before.rfind('\n');
    const auto column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
    return file + ":" + std::to_string(lines + 1) + ":" + std::to_string(column + 1);
}

// The parser's message without its preamble, and without what it read last: that may be a secret.
std::string reason(std::string_view what) {
    const auto column = what.find("column ");
    const auto start = column == std::string_view::npos ? column : what.find(": ", column);
    if (start != std::string_view::npos) what.remove_prefix(start + 2);
    return "bad JSON: " + std::string(what.substr(0, what.find("; last read")));
}

}  // namespace

Document parse_document(std::string_view text, const std::string& file) {
    if (text.size() > file_bytes_max) return {{}, {{file, "", "is longer than 1 MiB", ""}}};
    KeyWatch watch;
    try {
        Json root = Json::parse(text, std::ref(watch), true, true);
        if (!root.is_object()) return {{}, {{file, "", "must be an object: { … }", ""}}};
        Document document{std::move(root), {}};
        for (const auto& path : watch.repeated) document.problems.push_back({file, path, "stands twice", ""});
        return document;
    } catch (const Json::parse_error& error) {
        const std::size_t offset = std::min(text.size(), error.byte == 0 ? 0 : error.byte - 1);
        return {{}, {{place(file, text, offset), "", reason(error.what()), ""}}};
    }
}

}  // namespace millrace::config
