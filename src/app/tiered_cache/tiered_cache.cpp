// Looks in memory, then in Redis; keeps what was filled in both; lets one request at a time fill a key.
#include "millrace/app/tiered_cache.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace millrace::app {

namespace asio = boost::asio;

struct TieredCache::Fill {
    explicit Fill(asio::io_context& context) : ended(context) {}
    net::Signal ended;
    EntryPointer entry;
};

TieredCache::TieredCache(asio::io_context& context, const config::CacheSettings& settings, const config::RedisSettings& redis,
                         redis::Link* link, events::Observer& observer)
    : context_(context),
      settings_(settings),
      redis_(redis),
      link_(link),
      observer_(observer),
      store_(settings.memory_bytes_max) {}

bool TieredCache::holds(const cache::Entry& entry, WallTime now) const {
    return now < entry.stored + entry.fresh_for && fence_.valid(entry.snapshot, entry.tags);
}

TieredCache::EntryPointer TieredCache::find_memory(std::string_view key, WallTime now) {
    EntryPointer entry = store_.find(key);
    if (!entry || holds(*entry, now)) return entry;
    // It may hold again only after a gap; whoever asks next fills it anew.
    if (fence_.fenced()) store_.erase(key);
    return nullptr;
}

asio::awaitable<TieredCache::Shared> TieredCache::find_shared(std::string_view key, WallTime now, Deadline deadline) {
    Shared shared;
    if (link_ == nullptr || !link_->up()) co_return shared;
    const TimePoint began = net::now();
    const std::string name = redis_key(key);
    const std::array<std::string_view, 2> command = {"GET", name};
    const Deadline budget{std::min(deadline.at, began + std::chrono::milliseconds(redis_.budget_ms))};
    auto reply = co_await link_->command(command, budget);
    shared.took = net::now() - began;
    if (!reply || reply->kind != redis::ValueKind::string) co_return shared;
    auto entry = cache::decode(reply->text, key);
    if (!entry || !holds(*entry, now)) co_return shared;
    shared.entry = std::make_shared<const cache::Entry>(std::move(*entry));
    keep(std::string(key), shared.entry);
    co_return shared;
}

void TieredCache::put(const std::string& key, EntryPointer entry) {
    if (const auto fill = fills_.find(key); fill != fills_.end()) fill->second->entry = entry;
    observer_.on(events::CacheFilled{entry->bytes()});
    if (link_ != nullptr && link_->up()) {
        const std::string name = redis_key(key), bytes = cache::encode(*entry, key);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(entry->fresh_for).count();
        const std::string ttl_ms = std::to_string(std::max<std::int64_t>(left, 1));
        const std::array<std::string_view, 5> command = {"SET", name, bytes, "PX", ttl_ms};
        link_->post(command);
    }
    keep(key, std::move(entry));
}

void TieredCache::keep(const std::string& key, EntryPointer entry) {
    const std::size_t evicted = store_.put(key, std::move(entry));
    if (evicted > 0) observer_.on(events::CacheEvicted{evicted});
}

asio::awaitable<TieredCache::Turn> TieredCache::wait_turn(const std::string& key, WallTime now, Deadline deadline) {
    const auto found = fills_.find(key);
    if (found == fills_.end()) {
        fills_.emplace(key, std::make_shared<Fill>(context_));
        co_return Turn(*this, key);
    }
    const std::shared_ptr<Fill> fill = found->second;
    co_await fill->ended.wait(deadline);
    if (fill->entry && holds(*fill->entry, now)) co_return Turn(fill->entry);
    co_return Turn();
}

TieredCache::Turn::~Turn() {
    if (cache_ == nullptr) return;
    const auto fill = cache_->fills_.find(key_);
    fill->second->ended.notify_all();
    cache_->fills_.erase(fill);
}

void TieredCache::set_epoch(Epoch epoch) {
    if (epoch == epoch_) return;
    epoch_ = epoch;
    fence_.forget();
    store_.clear();
}

std::string TieredCache::redis_key(std::string_view key) const {
    std::string name =
        redis_.key_prefix + ":" + std::to_string(epoch_.system_identifier) + ":" + std::to_string(epoch_.timeline);
    name += ':';
    return name += key;
}

}  // namespace millrace::app
