// Which answers a hard purge forbids even where stale ones may be served.
#include "millrace/core/fence.hpp"

namespace millrace::fence {

void Fence::Purges::add(const Tag& tag, const Range& range, std::size_t most) {
    if (ranges.size() >= most && !ranges.contains(tag)) {
        for (const auto& [other, kept] : ranges) rest.add(kept);
        ranges.clear();
        rest.add(range);
        return;
    }
    ranges[tag].add(range);
}

bool Fence::Purges::hit(const PgSnapshot& snapshot, const Tag& tag) const {
    const auto found = ranges.find(tag);
    return found != ranges.end() && !found->second.seen_by(snapshot);
}

bool Fence::purged(const PgSnapshot& snapshot, std::span<const Tag> tags) const {
    if (!heard_ || !snapshot.contains(*heard_) || !purges_.rest.seen_by(snapshot)) return true;
    if (purges_.ranges.empty()) return false;
    if (purges_.hit(snapshot, Tag(everything))) return true;
    for (const Tag& tag : tags)
        if (purges_.hit(snapshot, tag)) return true;
    return false;
}

}  // namespace millrace::fence
