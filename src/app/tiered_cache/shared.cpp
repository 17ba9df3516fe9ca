// The tier in Redis: finds what another replica stored, agrees with the others on who reads what nobody has, and stores.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "flights.hpp"
#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

using events::CacheReason;
using events::CacheResult;
using events::LeaseOutcome;

// The entry, unless it is the one that is known to be of no use (ARGV[3]: its order); else 1: the lease is the caller's, or 0:
// it is another's. In one step, so that nobody who finds nothing gets a lease after the entry was stored.
const redis::Script& claim_script() {
    static const redis::Script script(R"(
local entry = redis.pcall('GET', KEYS[1])
if type(entry) == 'string' and string.sub(entry, 1, 40) ~= ARGV[3] then return entry end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0)");
    return script;
}

// Of two answers to one question the one that was read later stays; whoever reads it checks it in any case.
const redis::Script& store_script() {
    static const redis::Script script(R"(
local order = redis.pcall('GETRANGE', KEYS[1], 0, 39)
if type(order) == 'string' and string.match(order, '^%d+$') and #order == 40 and order > ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1)");
    return script;
}

// Only the holder's own: it may have run out, and be another's now.
const redis::Script& release_script() {
    static const redis::Script script(R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0)");
    return script;
}

const redis::Script& forget_script() {
    static const redis::Script script("return redis.call('DEL', KEYS[1])");
    return script;
}

constexpr unsigned asks_max = 10'000;  // many more than any wait has pauses

static_assert(cache::order_bytes == 40, "the scripts have the number in them");

}  // namespace

// Both in one slot of a Redis Cluster: what stands in the braces decides.
struct TieredCache::Names {
    std::string entry, lease;
};

TieredCache::Names TieredCache::names_of(std::string_view key) const {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), text::hash64(key), 16).ptr;
    const std::string slot = epoch_ + '{' + std::string(digits.begin(), end) + '}';
    return {slot + std::string(key), slot + "lease:" + std::string(key)};
}

TieredCache::Lease& TieredCache::Lease::operator=(Lease&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    link_ = std::move(other.link_);
    name_ = std::move(other.name_);
    token_ = std::exchange(other.token_, {});
    return *this;
}

void TieredCache::Lease::give_back() {
    const auto link = token_.empty() ? nullptr : link_.lock();
    if (!link) return;
    const std::array<std::string_view, 1> keys = {name_}, arguments = {token_};
    (*link)->post(release_script(), keys, arguments);
    token_.clear();
}

TieredCache::Lease TieredCache::lease_on(std::string name) {
    Lease lease;
    if (settings_.lease_ms == 0) return lease;
    lease.link_ = link_alive_;
    lease.name_ = std::move(name);
    lease.token_ = lease_token_ + std::to_string(++leases_);
    return lease;
}

asio::awaitable<Result<redis::Value>> TieredCache::claim(const Names& names, const Lease& lease, const std::string& known,
                                                         Deadline deadline) {
    if (!lease) {
        const std::array<std::string_view, 2> get = {"GET", names.entry};
        co_return co_await link_->command(get, deadline);
    }
    const std::string lease_ms = std::to_string(settings_.lease_ms);
    const std::array<std::string_view, 2> keys = {names.entry, names.lease};
    const std::array<std::string_view, 3> arguments = {lease.token_, lease_ms, known};
    co_return co_await link_->command(claim_script(), keys, arguments, deadline);
}

// A lease whose reply came too late may be ours all the same, so it is given back then too.
asio::awaitable<TieredCache::Shared> TieredCache::find_shared(std::string key, Ask ask, Search search) {
    Shared shared;
    const TimePoint began = net::now();
    if (!(ask.by_time || fenced(began)) || !shares()) co_return shared;
    const Names names = names_of(key);
    shared.lease = lease_on(names.lease);
    std::optional<cache::Next> next;  // nothing: Redis has not said whose the lease is
    bool others = false;              // another replica reads it
    for (unsigned asks = 0; asks < asks_max; ++asks) {
        const Deadline limit{std::min(search.deadline.at, net::now() + redis_budget_)};
        const auto reply = co_await claim(names, shared.lease, search.known, limit);
        if (asks == 0) shared.found.redis = net::now() - began;
        if (!reply || reply->kind == redis::ValueKind::error) break;
        if (reply->kind == redis::ValueKind::string) {
            ask.renew();
            take(shared.found, key, names.entry, reply->text, ask, search.known);
            if (shared.found.answers()) break;
            search.known = reply->text.substr(0, cache::order_bytes);
        }
        if (!shared.lease) break;
        if (reply->kind == redis::ValueKind::string) continue;  // it is of no use; now for another one, or the lease
        next = cache::after_asking(false, reply->integer == 1, net::now() - began, search.wait_max);
        others = others || *next != cache::Next::fill;
        if (*next != cache::Next::ask_again) break;
        const bool awake = co_await net::sleep_for(cache::pause_before(asks));
        if (!awake) break;
    }
    const bool vain = next == cache::Next::fill_anyway && !shared.found.answers();
    shared.reads = !shared.found.answers() && (!vain || search.wait_max > Duration::zero());
    if (vain || shared.found.answers()) shared.lease.token_.clear();  // it is another's, or nobody's
    if (next && (others || *next == cache::Next::fill)) {
        const auto outcome = vain ? LeaseOutcome::timed_out : others ? LeaseOutcome::waited : LeaseOutcome::got;
        observer_.on(events::CacheLease{outcome, others ? net::now() - began : Duration::zero()});
    }
    co_return shared;
}

void TieredCache::take(Lookup& found, const std::string& key, std::string_view name, std::string_view bytes, const Ask& ask,
                       std::string_view known) {
    if (!known.empty() && bytes.starts_with(known)) return;
    const Duration redis = found.redis;
    found = weigh_shared(key, name, bytes, ask);
    found.redis = redis;
}

// What is of use is kept in memory.
Lookup TieredCache::weigh_shared(const std::string& key, std::string_view name, std::string_view bytes, const Ask& ask) {
    const bool of_this_epoch = name.starts_with(epoch_);  // it was asked for a while ago
    if (!of_this_epoch || bytes.size() < cache::order_bytes) return {};
    auto decoded = cache::decode(bytes.substr(cache::order_bytes), name);
    if (!decoded) return {};
    const WallTime stored = decoded->stored;
    cache::Kept kept{std::make_shared<const cache::Entry>(*std::move(decoded)), {}, 0, stored};
    Lookup found = weigh(kept, ask);
    if (found.use == cache::Use::none) return found;
    const bool kept_here = found.use == cache::Use::stale && store_.look(key) != nullptr;
    if (found.answers() && !kept_here) found.entry = keep(key, found.entry, {});
    found.result = found.use == cache::Use::fresh ? CacheResult::hit_redis : CacheResult::stale_redis;
    return found;
}

asio::awaitable<Lookup> TieredCache::find_spare(std::string key, Ask ask) {
    Lookup found = find_memory(key, ask);
    if (found.entry || !shares() || ask.windows.if_error == Duration::zero()) co_return found;
    const TimePoint began = net::now();
    const Names names = names_of(key);
    const std::array<std::string_view, 2> get = {"GET", names.entry};
    const Deadline limit{began + redis_budget_};
    const auto reply = co_await link_->command(get, limit);
    if (!reply || reply->kind != redis::ValueKind::string) co_return found;
    ask.renew();
    found = weigh_shared(key, names.entry, reply->text, ask);
    found.redis = net::now() - began;
    co_return found;
}

void TieredCache::forget(const std::string& key) {
    store_.erase(key);
    if (!shares() || !link_->up()) return;
    const Names names = names_of(key);
    const std::array<std::string_view, 1> keys = {names.entry};
    link_->post(forget_script(), keys, {});
}

void TieredCache::share(const std::string& key, const cache::Entry& entry, const cache::StaleWindows& windows) {
    if (!shares() || !link_->up()) return;
    const Duration kept_for = entry.fresh_for + windows.longest();
    const auto ttl = std::chrono::duration_cast<std::chrono::milliseconds>(kept_for).count();
    const std::string milliseconds = std::to_string(std::max<std::int64_t>(ttl, 1));
    const Names names = names_of(key);
    const std::string order = cache::order_of(entry), bytes = cache::encode(entry, names.entry);
    const std::array<std::string_view, 1> keys = {names.entry};
    const std::array<std::string_view, 3> arguments = {order, bytes, milliseconds};
    link_->post(store_script(), keys, arguments);
}

}  // namespace millrace::app
