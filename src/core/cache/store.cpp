// Which entries stay in memory: S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).
#include <algorithm>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {
namespace {

constexpr std::uint8_t uses_max = 3;
constexpr std::size_t small_share = 20;  // the small queue has a twentieth of the budget: more costs hits (tests/zipf)
constexpr std::size_t ghosts_min = 64;
constexpr std::size_t slot_overhead = 192;  // list node, hash node and bucket, a ghost's share

}  // namespace

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
    const bool main = ghosts_.take(text::hash64(key));
    Queue& queue = main ? main_ : small_;
    queue.slots.push_front(Slot{std::move(key), std::move(kept), bytes, 0, main});
    queue.bytes += bytes;
    slots_.emplace(queue.slots.front().key, queue.slots.begin());
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
    ghosts_ = {};
}

std::size_t Store::shrink() {
    std::size_t evicted = 0;
    while (bytes() > bytes_max_) {
        const bool small = small_.bytes > bytes_max_ / small_share || main_.slots.empty();
        if (small ? evict_small() : evict_main()) ++evicted;
    }
    return evicted;
}

// The oldest of the small queue leaves it: to the main queue when it was asked for again, else out. One step.
bool Store::evict_small() {
    Slot& slot = small_.slots.back();
    if (slot.uses > 0) {
        promote();
        return false;
    }
    ghosts_.add(text::hash64(slot.key), std::max(main_.slots.size(), ghosts_min));
    drop_last(small_);
    return true;
}

// The oldest of the main queue goes round once more for each time it was asked for. One step, at most three rounds.
bool Store::evict_main() {
    Slot& slot = main_.slots.back();
    if (slot.uses > 0) {
        --slot.uses;
        main_.slots.splice(main_.slots.begin(), main_.slots, std::prev(main_.slots.end()));
        return false;
    }
    drop_last(main_);
    return true;
}

void Store::promote() {
    Slot& slot = small_.slots.back();
    small_.bytes -= slot.bytes;
    main_.bytes += slot.bytes;
    slot.main = true;
    slot.uses = 0;
    main_.slots.splice(main_.slots.begin(), small_.slots, std::prev(small_.slots.end()));
}

void Store::drop_last(Queue& queue) {
    const Slot& slot = queue.slots.back();
    queue.bytes -= slot.bytes;
    slots_.erase(slot.key);
    queue.slots.pop_back();
}

void Store::Ghosts::add(std::uint64_t hash, std::size_t most) {
    turn_of[hash] = ++turn;
    order.emplace_back(hash, turn);
    while (order.size() > most) {
        const auto [oldest, its_turn] = order.front();
        order.pop_front();
        const auto it = turn_of.find(oldest);
        if (it != turn_of.end() && it->second == its_turn) turn_of.erase(it);
    }
}

bool Store::Ghosts::take(std::uint64_t hash) { return turn_of.erase(hash) > 0; }

}  // namespace millrace::cache
