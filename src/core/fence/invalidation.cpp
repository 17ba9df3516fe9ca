// The names of what entries depend on, and the payload of an invalidation: which transaction touched which of them.
#include <algorithm>
#include <array>
#include <charconv>

#include "millrace/core/fence.hpp"
#include "millrace/core/text.hpp"

namespace millrace::fence {
namespace {

constexpr std::size_t payload_bytes_max = 8'000;  // Postgres' own limit for NOTIFY

// The tags that a word of the payload stands for. False when it is no tag.
bool expand(std::string_view word, std::vector<Tag>& tags) {
    if (word.empty()) return false;
    tags.emplace_back(word);
    if (word == everything || word.starts_with('@')) return true;
    const std::size_t mark = word.find('#');
    if (mark == 0 || mark + 1 == word.size()) return false;
    tags.push_back(mark == std::string_view::npos ? whole_tag(word) : Tag(word.substr(0, mark)));
    return true;
}

void sort_once(std::vector<Tag>& tags) {
    std::ranges::sort(tags);
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

}  // namespace

Tag key_tag(std::string_view table, std::span<const std::string> key) {
    std::string joined;
    for (const std::string& text : key) {
        if (&text != key.data()) joined += ',';
        joined += text;
    }
    const text::Sha256 digest = text::sha256(joined);
    Tag tag(table);
    tag += '#';
    text::append_hex(tag, std::span(digest).first(2));
    return tag;
}

Tag whole_tag(std::string_view table) { return Tag(table) + "#*"; }

std::optional<Invalidation> parse_invalidation(std::string_view payload) {
    if (payload.size() > payload_bytes_max) return std::nullopt;
    const auto words = text::split(payload, ' ');
    Invalidation invalidation;
    const std::string_view digits = words.front();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), invalidation.xid);
    if (error != std::errc{} || end != digits.data() + digits.size() || invalidation.xid == 0) return std::nullopt;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const bool hard = words[i].starts_with('!');
        const std::string_view word = words[i].substr(hard ? 1 : 0);
        if (!expand(word, invalidation.tags) || (hard && !expand(word, invalidation.purged))) return std::nullopt;
    }
    if (invalidation.tags.empty()) return std::nullopt;
    sort_once(invalidation.tags);
    sort_once(invalidation.purged);
    return invalidation;
}

}  // namespace millrace::fence
