// Looks an answer up in memory, and stores it there and in Redis; nothing is served as fresh that the fence does not hold
// valid.
#include "millrace/app/tiered_cache.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "flights.hpp"

namespace millrace::app {

using events::CacheReason;
using events::CacheResult;

namespace {

WallTime wall_of(TimePoint tick) { return net::wall_now() - std::chrono::duration_cast<WallTime::duration>(net::now() - tick); }

}  // namespace

void Ask::renew() {
    now = net::wall_now();
    tick = net::now();
}

TieredCache::TieredCache(asio::io_context& context, const config::CacheSettings& cache, const config::RedisSettings& redis,
                         redis::Link* link, events::Observer& observer, std::shared_ptr<FillTable> fills)
    : context_(context),
      settings_(cache),
      redis_budget_(std::chrono::milliseconds(redis.budget_ms)),
      fill_wait_(std::chrono::milliseconds(cache.fill_wait_ms)),
      link_(link),
      link_alive_(std::make_shared<redis::Link*>(link)),
      observer_(observer),
      prefix_(redis.key_prefix),
      trust_(std::chrono::milliseconds(cache.lag_limit_ms)),
      store_(cache.memory_bytes_max),
      fills_(fills ? std::move(fills) : std::make_shared<FillTable>()) {
    std::random_device entropy;
    random_.seed(entropy());
    lease_token_ = std::to_string(entropy()) + '-' + std::to_string(entropy()) + '-';
}

TieredCache::~TieredCache() = default;

Lookup TieredCache::find_memory(std::string_view key, const Ask& ask) {
    cache::Kept* const kept = store_.look(key);
    if (kept == nullptr) return {};
    Lookup found = weigh(*kept, ask);
    found.early = found.use == cache::Use::fresh && about_to_end(*kept, ask.now);
    return found;
}

// What was valid at a version of the fence is valid while it stands: usually two integers are compared.
Lookup TieredCache::weigh(cache::Kept& kept, const Ask& ask) {
    const cache::Entry& entry = *kept.entry;
    cache::Standing standing;
    const bool heard = fenced(ask.tick);
    standing.fenced = heard || ask.by_time;
    standing.valid = heard ? kept.version == fence_.version() || fence_.valid(entry.snapshot, entry.tags)
                           : ask.by_time && !fence_.purged(entry.snapshot, entry.tags);
    if (standing.valid) {
        if (heard) kept.version = fence_.version();
        kept.known_valid = ask.now;
    } else {
        if (kept.version == heard_version_ && !heard) kept.known_valid = std::max(kept.known_valid, heard_until_);
        standing.purged = ask.windows.longest() > Duration::zero() && fence_.purged(entry.snapshot, entry.tags);
    }
    standing.known_valid = kept.known_valid;
    standing.sees_token = !ask.token || entry.snapshot.sees(*ask.token);

    Lookup found;
    found.use = cache::judge(entry, standing, ask.windows, ask.now);
    found.reason = !standing.sees_token ? CacheReason::token : standing.valid ? CacheReason::expired : CacheReason::invalid;
    if (found.use == cache::Use::none) return found;
    found.entry = kept.entry;
    if (found.use != cache::Use::fresh) found.stale_for = ask.now - std::min(kept.known_valid, entry.stored + entry.fresh_for);
    found.result = found.use == cache::Use::fresh ? CacheResult::hit_memory : CacheResult::stale_memory;
    found.reason = found.use == cache::Use::fresh   ? CacheReason::none
                   : found.use == cache::Use::stale ? CacheReason::revalidating
                                                    : CacheReason::error;
    return found;
}

bool TieredCache::about_to_end(const cache::Kept& kept, WallTime now) {
    if (!settings_.early_refresh) return false;
    const auto chance = [this] { return static_cast<double>(random_()) / std::minstd_rand::max(); };
    return cache::refresh_early(*kept.entry, kept.cost, now, chance);
}

// An entry that was invalidated underway would only take the place of a better one.
EntryPointer TieredCache::put(std::string key, EntryPointer entry, Duration cost, const cache::StaleWindows& windows,
                              bool by_time) {
    const std::size_t bytes = entry->bytes();
    if (bytes > settings_.entry_bytes_max || entry->fresh_for <= Duration::zero()) return nullptr;
    const bool unheard = by_time && !fence_.fenced();
    if (!unheard && !fence_.valid(entry->snapshot, entry->tags)) return nullptr;
    observer_.on(events::CacheFilled{bytes});
    unkept_.remove(key);
    auto stays = keep(key, entry, cost);
    if (stays == entry) share(key, *entry, windows);
    return stays;
}

// The entry that stays. Of two that are both valid it is the one that was read later: who has seen it must not see an older
// one.
EntryPointer TieredCache::keep(std::string key, EntryPointer entry, Duration cost) {
    const Lookup present = find_memory(key, {net::wall_now(), net::now()});
    if (present.use == cache::Use::fresh && !entry->snapshot.contains(present.entry->snapshot)) return present.entry;
    const WallTime stored = entry->stored;
    const std::size_t evicted = store_.put(std::move(key), cache::Kept{entry, cost, 0, stored});
    if (evicted > 0) observer_.on(events::CacheEvicted{evicted});
    observer_.on(events::CacheSize{store_.entries(), store_.bytes()});
    return entry;
}

EntryPointer TieredCache::find_any(std::string_view key) {
    const cache::Kept* const kept = store_.look(key);
    if (kept == nullptr || fence_.purged(kept->entry->snapshot, kept->entry->tags)) return nullptr;
    return kept->entry;
}

// Entries do not change while they are shared: another takes this one's place.
void TieredCache::add_variant(const std::string& key, const cache::Entry& of, cache::Variant variant) {
    const cache::Kept* const present = store_.look(key);
    if (present == nullptr || present->entry->body != of.body || present->entry->variant(variant.coding) != nullptr) return;
    auto with = std::make_shared<cache::Entry>(*present->entry);
    with->variants.push_back(std::move(variant));
    cache::Kept kept = *present;
    kept.entry = std::move(with);
    const std::size_t evicted = store_.put(key, std::move(kept));
    if (evicted > 0) observer_.on(events::CacheEvicted{evicted});
}

void TieredCache::remember_unkept(std::string_view key, WallTime now) {
    observer_.on(events::CacheUnkept{});
    unkept_.add(key, now + std::chrono::milliseconds(settings_.hit_for_miss_ms));
}

std::string TieredCache::prefix_of(std::string_view system_identifier, std::uint32_t timeline) const {
    return prefix_ + ':' + std::string(system_identifier) + ':' + std::to_string(timeline) + ':';
}

bool TieredCache::is_epoch(std::string_view system_identifier, std::uint32_t timeline) const {
    return epoch_.starts_with(prefix_of(system_identifier, timeline));
}

// What was heard stays in force: it may have come since the gap that ends with this. Xids of another timeline only refuse
// entries until that timeline has passed them.
void TieredCache::set_epoch(std::string_view system_identifier, std::uint32_t timeline, std::int64_t incarnation) {
    std::string epoch = prefix_of(system_identifier, timeline) + std::to_string(incarnation) + ':';
    if (epoch == epoch_) return;
    epoch_ = std::move(epoch);
    ++era_;
    fence_.forget();
    purge_all();
}

void TieredCache::heartbeat(const fence::PgSnapshot& snapshot, TimePoint asked) {
    fence_.heartbeat(snapshot);
    if (!fence_.fenced()) return;
    trust_.prove(asked);
    heard_until_ = wall_of(asked);
}

void TieredCache::gap(const fence::PgSnapshot& since, TimePoint asked) {
    fence_.gap(since);
    trust_.lose();  // what was proved before the gap says nothing of what follows it
    trust_.prove(asked);
    exchanges_ = 0;
    heard_until_ = wall_of(asked);
}

void TieredCache::unfence() {
    if (fence_.fenced()) heard_version_ = fence_.version();
    fence_.unfence();
}

void TieredCache::lose() {
    unfence();
    fence_.lose();
}

void TieredCache::purge_all() {
    store_.clear();
    observer_.on(events::CacheSize{0, 0});
}

}  // namespace millrace::app
