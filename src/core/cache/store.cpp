// Which entries stay in memory: two queues, as in S3-FIFO (Yang et al., SOSP 2023), and frequencies that decide between them.
#include <algorithm>
#include <utility>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {
namespace {

constexpr std::uint8_t uses_max = 255;
constexpr std::size_t small_share = 20;        // the small queue has a twentieth of the budget
constexpr int rivals_max = 5;                  // entries of the main queue that one of the small queue is compared with
constexpr std::size_t slot_overhead = 192;     // list node, hash node and bucket, a share of the frequencies
constexpr std::size_t bytes_per_column = 256;  // most entries are larger, and the frequencies know more keys than fit

}  // namespace

Store::Store(std::size_t bytes_max) : bytes_max_(bytes_max), frequencies_(bytes_max / bytes_per_column) {}

Kept* Store::look(std::string_view key) {
    const auto it = slots_.find(key);
    if (it == slots_.end()) return nullptr;
    Slot& slot = *it->second;
    if (slot.uses < uses_max) ++slot.uses;
    return &slot.kept;
}

std::shared_ptr<const Entry> Store::find(std::string_view key) {
    const Kept* const kept = look(key);
    return kept == nullptr ? nullptr : kept->entry;
}

std::size_t Store::put(std::string key, Kept kept) {
    const std::size_t bytes = kept.entry->bytes() + key.size() + slot_overhead;
    if (bytes > bytes_max_) {
        erase(key);
        return 0;
    }
    if (const auto it = slots_.find(key); it != slots_.end()) {
        Slot& slot = *it->second;
        Queue& queue = queue_of(slot);
        queue.bytes = queue.bytes - slot.bytes + bytes;
        slot.kept = std::move(kept);
        slot.bytes = bytes;
        return shrink();
    }
    const std::uint64_t hash = text::hash64(key);
    frequencies_.add(hash, 1);
    small_.slots.push_front(Slot{std::move(key), std::move(kept), bytes, hash});
    small_.bytes += bytes;
    slots_.emplace(small_.slots.front().key, small_.slots.begin());
    return shrink();
}

void Store::erase(std::string_view key) {
    const auto it = slots_.find(key);
    if (it == slots_.end()) return;
    const auto slot = it->second;
    Queue& queue = queue_of(*slot);
    queue.bytes -= slot->bytes;
    slots_.erase(it);
    queue.slots.erase(slot);
}

void Store::clear() {
    slots_.clear();
    small_ = {};
    main_ = {};
    frequencies_.clear();
}

std::size_t Store::shrink() {
    std::size_t evicted = 0;
    while (bytes() > bytes_max_) {
        if (small_.bytes > bytes_max_ / small_share || main_.slots.empty()) {
            evicted += shrink_small() ? 1 : 0;
        } else {
            drop_last(main_);
            ++evicted;
        }
    }
    return evicted;
}

// The oldest of the small queue goes to the main one while there is room, or in the place of an entry that was asked for less
// often; else it leaves. One step.
bool Store::shrink_small() {
    Slot& slot = small_.slots.back();
    if (main_.bytes + slot.bytes <= bytes_max_ - bytes_max_ / small_share) {
        promote();
        return false;
    }
    const unsigned asked = frequency(slot);
    for (int rivals = 0; rivals < rivals_max && !main_.slots.empty(); ++rivals) {
        Slot& rival = main_.slots.back();
        if (frequency(rival) < asked) {
            drop_last(main_);
            promote();
            return true;
        }
        frequencies_.add(rival.hash, rival.uses / 2U);
        rival.uses -= rival.uses / 2U;
        main_.slots.splice(main_.slots.begin(), main_.slots, std::prev(main_.slots.end()));
    }
    drop_last(small_);
    return true;
}

unsigned Store::frequency(const Slot& slot) const { return slot.uses + frequencies_.of(slot.hash); }

void Store::promote() {
    Slot& slot = small_.slots.back();
    small_.bytes -= slot.bytes;
    main_.bytes += slot.bytes;
    slot.main = true;
    main_.slots.splice(main_.slots.begin(), small_.slots, std::prev(small_.slots.end()));
}

void Store::drop_last(Queue& queue) {
    const Slot& slot = queue.slots.back();
    frequencies_.add(slot.hash, slot.uses);
    queue.bytes -= slot.bytes;
    slots_.erase(slot.key);
    queue.slots.pop_back();
}

}  // namespace millrace::cache
