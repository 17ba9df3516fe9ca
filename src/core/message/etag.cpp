// Entity tags in conditional requests (RFC 9110 §8.8.3, §13.1), and what our own are made of: "base", "base.total",
// "base-coding", "base.total-coding".
#include <algorithm>

#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::message {
namespace {

constexpr std::size_t tags_max = 100;  // of one field; nobody holds more versions of one answer

// The next tag of the list, its end past the comma. Commas may stand inside the quotes.
std::string_view take_tag(std::string_view& list) {
    const std::size_t open = list.find('"');
    const std::size_t close = open == std::string_view::npos ? open : list.find('"', open + 1);
    if (close == std::string_view::npos) {
        list = {};
        return {};
    }
    const std::string_view tag = text::trim(list.substr(0, close + 1));
    list.remove_prefix(close + 1);
    while (list.starts_with(',') || list.starts_with(' ') || list.starts_with('\t')) list.remove_prefix(1);
    return tag;
}

// Splits W/"base.total-coding"; a tag that is none of ours is all base.
EntityTag read_tag(std::string_view tag) {
    EntityTag out;
    out.weak = tag.starts_with("W/");
    if (out.weak) tag.remove_prefix(2);
    if (tag.size() < 2 || tag.front() != '"') return {};
    tag = tag.substr(1, tag.size() - 2);
    const std::size_t dash = tag.rfind('-');
    const auto* coding = dash == std::string_view::npos
                             ? coding::all_codings.end()
                             : std::ranges::find(coding::all_codings, tag.substr(dash + 1), coding::name);
    if (coding != coding::all_codings.end() && *coding != coding::Coding::identity) {
        out.coding = *coding;
        tag = tag.substr(0, dash);
    }
    const std::size_t dot = std::min(tag.find('.'), tag.size());
    out.base = tag.substr(0, dot);
    out.total = tag.substr(dot);
    return out;
}

}  // namespace

bool is_any(std::string_view condition) { return text::trim(condition) == "*"; }

std::optional<EntityTag> find_tag(std::string_view list, std::string_view etag, Comparison comparison) {
    const EntityTag wanted = read_tag(etag);
    if (wanted.base.empty() || (comparison == Comparison::strong && wanted.weak)) return std::nullopt;
    for (std::size_t read = 0; !list.empty() && read < tags_max; ++read) {
        const EntityTag tag = read_tag(take_tag(list));
        const bool comparable = comparison == Comparison::weak || !tag.weak;
        const bool same_total = wanted.total.empty() || tag.total == wanted.total;
        if (comparable && tag.base == wanted.base && same_total) return tag;
    }
    return std::nullopt;
}

std::string tag_in(std::string_view etag, coding::Coding coding) {
    const EntityTag tag = read_tag(etag);
    std::string out = "\"";
    out.append(tag.base).append(tag.total);
    if (coding != coding::Coding::identity) out.append("-").append(coding::name(coding));
    return out += '"';
}

}  // namespace millrace::message
