// Numbers label values and says "other" when there are too many.
#include "labels.hpp"

#include <bit>

#include "millrace/core/text.hpp"

namespace millrace::telemetry {
namespace {

constexpr std::size_t name_bytes_max = 128;

bool fit(std::string_view name) { return name.size() <= name_bytes_max && text::valid_utf8(name); }

}  // namespace

std::size_t BoundedNames::index_of(std::string_view first, std::string_view second) {
    if (!fit(first) || !fit(second)) return max_;
    const std::lock_guard lock(mutex_);
    Name name{first, second};
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    if (numbers_.size() >= max_) return max_;
    return numbers_.emplace(std::move(name), numbers_.size()).first->second;
}

std::vector<Name> BoundedNames::names() const {
    const std::lock_guard lock(mutex_);
    std::vector<Name> out(numbers_.size());
    for (const auto& [name, number] : numbers_) out[number] = name;
    return out;
}

NameCache::NameCache(BoundedNames& names) : names_(names), entries_(std::bit_ceil(4 * (names.max() + 1))) {}

std::size_t NameCache::index_of(std::string_view first, std::string_view second) {
    const std::uint64_t hash = text::hash64(first) * 31 + text::hash64(second);
    const std::size_t mask = entries_.size() - 1;
    std::size_t at = hash & mask;
    for (; entries_[at].used; at = (at + 1) & mask)
        if (entries_[at].hash == hash && entries_[at].name.first == first && entries_[at].name.second == second)
            return entries_[at].index;
    if (used_ * 2 >= entries_.size()) return names_.max();
    const std::size_t index = names_.index_of(first, second);
    if (!fit(first) || !fit(second)) return index;  // not worth remembering, and as long as its sender likes
    entries_[at] = {hash, index, true, {std::string(first), std::string(second)}};
    ++used_;
    return index;
}

}  // namespace millrace::telemetry
