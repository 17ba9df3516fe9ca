// How a replica answers: memory first, then whoever is reading the same already, then Redis, then the database.
#include <algorithm>

#include "replica.hpp"

namespace millrace::sim {

using cache::Entry;
using cache::Use;

void Replica::ask(Question question, Identity who, const Token* token) {
    if (process_.dead || world_.now() < process_.stopped_until) return;
    ask(Waiter{question, who, token, 0});
}

void Replica::ask_anew(Question question, Identity who) {
    if (process_.dead || world_.now() < process_.stopped_until || !trusted()) return;
    auto flight = std::make_shared<Flight>();
    flight->leader = {question, who, nullptr, 0};
    flight->alone = true;
    fill(world_.keys[place_of(question, who)], flight);
}

Use Replica::use_of(const Entry& entry, Question question, const Token* token, WallTime known_valid) const {
    cache::Standing standing;
    standing.fenced = trusted();
    standing.valid = fence_.valid(entry.snapshot, entry.tags);
    standing.purged = fence_.purged(entry.snapshot, entry.tags) && world_.fault != Fault::purge_unnoticed;
    standing.sees_token = token == nullptr || entry.snapshot.sees(token->xid) || world_.fault == Fault::token_ignored;
    standing.known_valid = known_valid;
    cache::StaleWindows windows;
    if (world_.scenario.stale_allowed) {
        windows.while_revalidate = std::chrono::milliseconds(while_revalidate_ms);
        windows.if_error = std::chrono::milliseconds(if_error_ms);
    }
    if (world_.fault == Fault::stale_limit_ignored) windows.while_revalidate = windows.if_error *= 10;
    if (world_.fault == Fault::time_to_live_ignored && by_time_alone(question) && standing.fenced && standing.valid)
        return Use::fresh;
    return cache::judge(entry, standing, windows, wall());
}

void Replica::ask(const Waiter& waiter) {
    const std::string& key = world_.keys[place_of(waiter.question, waiter.who)];
    if (cache::Kept* kept = store_.look(key)) {
        const Use use = use_of(*kept->entry, waiter.question, waiter.token, kept->known_valid);
        if (use == Use::fresh || (use == Use::stale && world_.fault == Fault::stale_hit_renews_itself))
            kept->known_valid = wall();
        if (use == Use::fresh) return give(kept->entry, waiter, use);
        if (use == Use::stale) {
            give(kept->entry, waiter, use);
            if (!flights_.contains(key)) lead(key, waiter);
            return;
        }
    } else {
        forget_given(key);
    }
    if (!trusted()) {
        if (!world_.database_up) give_spare(key, waiter);
        return;  // to the database, past the cache
    }
    const auto flight = flights_.find(key);
    if (flight == flights_.end() || world_.fault == Fault::two_fills_of_a_key) return lead(key, waiter);
    flight->second->waiters.push_back(waiter);
}

void Replica::lead(const std::string& key, const Waiter& waiter) {
    auto flight = std::make_shared<Flight>();
    flight->leader = waiter;
    flight->began = world_.now();
    flights_[key] = flight;
    ask_redis(key, flight);
}

// An answer that takes too long or is lost is no answer: the database has it.
void Replica::ask_redis(const std::string& key, const FlightPointer& flight) {
    const bool lost = !world_.redis.up || (!world_.scenario.calm && world_.random.one_in(30));
    const Ms there = world_.random.between(0, world_.scenario.redis_ms_max);
    after(there, [this, key, flight, lost] {
        const std::string name = epoch_ + key;
        const bool reached = world_.redis.up && (!lost || world_.random.one_in(2));
        flight->name = name;
        flight->owner = static_cast<int>(world_.random.pick(1'000'000'000));
        const Redis::Stored* stored = reached ? world_.redis.get(name, world_.now()) : nullptr;
        if (stored != nullptr && !world_.scenario.calm && world_.random.one_in(40))
            stored = &std::next(world_.redis.entries().begin(),
                                static_cast<std::ptrdiff_t>(world_.random.pick(world_.redis.entries().size())))
                          ->second;  // something is badly mixed up
        const bool leased = reached && world_.redis.lease(name, flight->owner, world_.now(), lease_ms);
        flight->leased = leased ? world_.now() : 0;
        const Ms back = world_.random.between(0, world_.scenario.redis_ms_max);
        after(back, [this, key, flight, lost, as = stored ? stored->name : "", bytes = stored ? stored->bytes : ""] {
            if (lost) {
                flight->leased = 0;
                return fill(key, flight);
            }
            hear_redis(key, flight, as, bytes);
        });
    });
}

void Replica::hear_redis(const std::string& key, const FlightPointer& flight, const std::string& stored_as,
                         const std::string& bytes) {
    const std::string name = world_.fault == Fault::mixed_up_bytes_accepted ? stored_as : epoch_ + key;
    auto decoded = cache::decode(bytes, name);
    const Waiter& leader = flight->leader;
    if (decoded && world_.fault == Fault::age_since_decoded) decoded->stored = wall();
    const Use use = decoded ? use_of(*decoded, leader.question, leader.token, decoded->stored) : Use::none;
    switch (cache::after_asking(use == Use::fresh, flight->leased != 0, std::chrono::milliseconds(world_.now() - flight->began),
                                std::chrono::milliseconds(lease_wait_ms))) {
        case cache::Next::give: {
            ++world_.checker.counts.from_redis;
            const auto entry = keep(key, std::make_shared<const Entry>(*std::move(decoded)));
            if (use_of(*entry, leader.question, leader.token, entry->stored) == Use::fresh) give(entry, leader, Use::fresh);
            return land(key, flight, entry);
        }
        case cache::Next::fill:
            return fill(key, flight);
        case cache::Next::fill_anyway:
            return fill(key, flight);
        case cache::Next::ask_again: {
            const auto pause =
                std::chrono::duration_cast<std::chrono::milliseconds>(cache::pause_before(flight->asks++)).count();
            return after(pause, [this, key, flight] { ask_redis(key, flight); });
        }
    }
}

void Replica::give(const std::shared_ptr<const Entry>& entry, const Waiter& waiter, Use use) {
    ++hits_;
    const long age_s = std::chrono::duration_cast<std::chrono::seconds>(wall() - entry->stored).count();
    world_.note("replica ", id_, " gives ", static_cast<int>(waiter.question), " read in ", entry->snapshot.to_string(),
                use == Use::fresh ? "" : " as stale");
    world_.checker.given({entry.get(), use, waiter.question, waiter.who, waiter.token, std::max(age_s, 0L)}, knows_);
}

bool Replica::give_spare(const std::string& key, const Waiter& waiter) {
    cache::Kept* kept = store_.look(key);
    if (kept == nullptr) return false;
    const Use use = use_of(*kept->entry, waiter.question, waiter.token, kept->known_valid);
    if (use == Use::none) return false;
    if (world_.fault == Fault::stale_hit_renews_itself) kept->known_valid = wall();
    give(kept->entry, waiter, use);
    return true;
}

}  // namespace millrace::sim
