// Entity tags in conditional requests (RFC 9110 §8.8.3, §13.1).
#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::message {
namespace {

std::string_view opaque(std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; }

// The next tag of the list, its end past the comma. Commas may stand inside the quotes.
std::string_view take_tag(std::string_view& list) {
    const std::size_t open = list.find('"');
    const std::size_t close = open == std::string_view::npos ? open : list.find('"', open + 1);
    if (close == std::string_view::npos) {
        list = {};
        return {};
    }
    std::string_view tag = text::trim(list.substr(0, close + 1));
    list.remove_prefix(close + 1);
    while (tag.starts_with(',') || tag.starts_with(' ')) tag.remove_prefix(1);
    return tag;
}

}  // namespace

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
    if (text::trim(if_none_match) == "*") return true;
    while (!if_none_match.empty())
        if (const auto tag = take_tag(if_none_match); !tag.empty() && opaque(tag) == opaque(etag)) return true;
    return false;
}

}  // namespace millrace::message
