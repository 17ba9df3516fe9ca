// Names the tables behind an answer for caches in front, without telling more of the database than its versions show.
#include "groups.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

constexpr std::size_t names_max = 32, name_bytes_max = 32;  // RFC 9875 §2: what every cache takes in

// "schema.table#bucket" → "schema.table". Nothing of tags that are no table's.
std::string_view table_of(std::string_view tag) {
    if (tag.starts_with('@') || tag.starts_with('*')) return {};
    return tag.substr(0, std::min(tag.find('#'), tag.size()));
}

// Is the table itself a resource of some version? Of any of them, for all of them must name it alike: what is written through
// one is cached through the others.
bool is_shown(const Snapshot& snapshot, std::string_view table) {
    return std::ranges::any_of(snapshot.versions, [table](const auto& version) {
        return std::ranges::any_of(version->resources(), [table](const auto& resource) {
            return catalog::tag_of(resource->relation->schema, resource->relation->name) == table;
        });
    });
}

// 32 bits of a hash: enough to tell tables apart, and when it does not, a little more is dropped than need be.
std::string hashed(std::string_view table) {
    std::array<char, 8> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::uint32_t>(text::hash64(table)), 16).ptr;
    return "t-" + std::string(digits.data(), end);
}

// A table that no version shows goes by its hash, and so does one whose name is too long.
std::string name_of(const Snapshot& snapshot, std::string_view table) {
    std::string name = text::percent_encode(table);
    return name.size() <= name_bytes_max && is_shown(snapshot, table) ? name : hashed(table);
}

std::vector<std::string> names_of(const Snapshot& snapshot, std::span<const fence::Tag> tags) {
    std::vector<std::string> names;
    for (const fence::Tag& tag : tags) {
        const std::string_view table = table_of(tag);
        if (!table.empty()) names.push_back(name_of(snapshot, table));
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.size() > names_max) names.clear();  // a part of them would promise what is not so
    return names;
}

}  // namespace

std::string cache_groups(const Snapshot& snapshot, std::span<const fence::Tag> tags) {
    std::string out;
    for (const std::string& name : names_of(snapshot, tags)) out.append(out.empty() ? "\"" : ", \"").append(name) += '"';
    return out;
}

std::string surrogate_keys(const Snapshot& snapshot, std::span<const fence::Tag> tags, std::string_view version,
                           std::string_view route) {
    std::string out(version);
    out.append(" ").append(version).append("/").append(text::percent_encode(route));
    for (const std::string& name : names_of(snapshot, tags)) out.append(" ").append(name);
    return out;
}

}  // namespace millrace::pipeline
