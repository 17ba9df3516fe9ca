// Looks an answer up in memory, then in Redis, and stores it in both; nothing is served that the fence does not hold valid.
#include "millrace/app/tiered_cache.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "flights.hpp"

namespace millrace::app {
namespace {

using events::CacheResult;

// A moment ahead of our clock is another replica's; one that is farther ahead than the entry may live is nonsense.
bool fresh(const cache::Entry& entry, WallTime now) {
    return now < entry.stored + entry.fresh_for && entry.stored < now + entry.fresh_for;
}

}  // namespace

TieredCache::TieredCache(asio::io_context& context, const config::CacheSettings& cache, const config::RedisSettings& redis,
                         redis::Link* link, events::Observer& observer)
    : settings_(cache),
      redis_budget_(std::chrono::milliseconds(redis.budget_ms)),
      link_(link),
      observer_(observer),
      prefix_(redis.key_prefix),
      store_(cache.memory_bytes_max),
      flights_(std::make_shared<Flights>(context)) {}

TieredCache::~TieredCache() = default;

bool TieredCache::serves(const cache::Entry& entry, WallTime now) const {
    return fresh(entry, now) && fence_.valid(entry.snapshot, entry.tags);
}

EntryPointer TieredCache::find_memory(std::string_view key, WallTime now) {
    if (!fence_.fenced()) return nullptr;
    auto entry = store_.find(key);
    if (!entry || !serves(*entry, now)) return nullptr;
    return entry;
}

asio::awaitable<Lookup> TieredCache::find_shared(std::string key, Deadline deadline) {
    Lookup lookup;
    if (!fence_.fenced()) lookup.result = CacheResult::bypass;
    if (!fence_.fenced() || !shares()) co_return lookup;
    const TimePoint start = net::now();
    const Deadline limit{std::min(deadline.at, start + redis_budget_)};
    const std::string name = epoch_ + key;
    const std::array<std::string_view, 2> get = {"GET", name};
    const auto reply = co_await link_->command(get, limit);
    lookup.redis = net::now() - start;
    if (!reply || reply->kind != redis::ValueKind::string) co_return lookup;
    auto decoded = cache::decode(reply->text, name);
    if (!decoded || !serves(*decoded, net::wall_now())) co_return lookup;
    lookup.entry = keep(std::move(key), std::make_shared<const cache::Entry>(*std::move(decoded)));
    lookup.result = CacheResult::hit_redis;
    co_return lookup;
}

// An entry that was invalidated underway would only take the place of a better one.
void TieredCache::put(std::string key, EntryPointer entry) {
    const std::size_t bytes = entry->bytes();
    if (bytes > settings_.entry_bytes_max || entry->fresh_for <= Duration::zero()) return;
    if (!fence_.valid(entry->snapshot, entry->tags)) return;
    observer_.on(events::CacheFilled{bytes});
    if (keep(key, entry) == entry) share(key, *entry);
}

// The entry that stays. Of two that are both valid it is the one that was read later: who has seen it must not see an older
// one.
EntryPointer TieredCache::keep(std::string key, EntryPointer entry) {
    auto present = find_memory(key, net::wall_now());
    if (present && !entry->snapshot.contains(present->snapshot)) return present;
    const std::size_t evicted = store_.put(std::move(key), entry);
    if (evicted > 0) observer_.on(events::CacheEvicted{evicted});
    observer_.on(events::CacheSize{store_.entries(), store_.bytes()});
    return entry;
}

// Which of two replicas' entries stays in Redis is left to chance: whoever reads it checks it.
void TieredCache::share(const std::string& key, const cache::Entry& entry) {
    if (!shares() || !link_->up()) return;
    const auto ttl = std::chrono::duration_cast<std::chrono::milliseconds>(entry.fresh_for).count();
    const std::string name = epoch_ + key, milliseconds = std::to_string(std::max<std::int64_t>(ttl, 1));
    const std::string bytes = cache::encode(entry, name);
    const std::array<std::string_view, 5> set = {"SET", name, bytes, "PX", milliseconds};
    link_->post(set);
}

// What was heard stays in force: it may have come since the gap that ends with this. Xids of another timeline only refuse
// entries until that timeline has passed them.
void TieredCache::set_epoch(std::string_view system_identifier, std::uint32_t timeline) {
    std::string epoch = prefix_ + ':' + std::string(system_identifier) + ':' + std::to_string(timeline) + ':';
    if (epoch == epoch_) return;
    epoch_ = std::move(epoch);
    fence_.unfence();
    purge_all();
}

void TieredCache::purge_all() {
    store_.clear();
    observer_.on(events::CacheSize{0, 0});
}

}  // namespace millrace::app
