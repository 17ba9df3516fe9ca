// How an answer of the database comes into memory and into Redis, and to those who wait for it.
#include <algorithm>

#include "replica.hpp"

namespace millrace::sim {

using cache::Entry;
using cache::Use;

void Replica::fill(const std::string& key, const FlightPointer& flight) {
    auto fill = std::make_shared<Fill>();
    fill->key = key;
    fill->flight = flight;
    fill->epoch = epoch_;
    fill->era = era_;
    fill->began = wall();
    fill->answer.began = world_.now();
    world_.note("replica ", id_, " reads ", epoch_, key, flight->leased != 0 ? " by lease" : "");
    if (!flight->alone)
        world_.checker.fill_begins(id_, place_of(flight->leader.question, flight->leader.who), flight->name, flight->leased);
    after(world_.random.between(1, world_.scenario.read_ms_max), [this, fill] {
        read(*fill);
        // Most answers are short; some take their time to come.
        const Ms longest = !world_.scenario.calm && world_.random.one_in(20) ? 6'000 : world_.scenario.read_ms_max;
        after(world_.random.between(1, longest), [this, fill] { finish(*fill); });
    });
}

// In one transaction: the snapshot is that of the values.
void Replica::read(Fill& fill) {
    if (!world_.database_up) return;
    const Waiter& leader = fill.flight->leader;
    Answer& answer = fill.answer;
    answer.question = leader.question;
    answer.who = leader.who;
    answer.epoch = world_.postgres.lives();
    answer.read = world_.now();
    // In the end all must be useful, and while a transaction is open a standby sees nothing that began after it.
    const bool replicated = world_.scenario.replicated_reads && !world_.settling();
    const bool standby = replicated && !by_time_alone(leader.question) && world_.random.one_in(3);
    answer.values = standby ? world_.postgres.standby_values() : world_.postgres.values();
    fill.snapshot = standby ? world_.postgres.standby_snapshot(world_.fault == Fault::standby_in_progress_empty)
                            : world_.postgres.snapshot();
    fill.done = true;
    if (world_.fault == Fault::in_progress_ignored) fill.snapshot = {fill.snapshot.xmax, fill.snapshot.xmax, {}};
    if (world_.fault == Fault::bare_xmin) fill.snapshot = {fill.snapshot.xmin, fill.snapshot.xmin, {}};
    if (!standby) check_useful(fill);
}

// Heard of everything and read just now: it must be valid, however long some transaction stays open.
void Replica::check_useful(const Fill& fill) {
    const bool heard_all = open_ && listening_ && inbox_.empty() && trusted() && knows_.life == world_.postgres.lives();
    if (!world_.useful() || !world_.scenario.roomy || carries_over_ || !heard_all || !world_.postgres.invisible().empty())
        return;
    if (fence_.valid(fill.snapshot, world_.tags[static_cast<std::size_t>(fill.flight->leader.question)])) return;
    world_.note("replica ", id_, " knows ", fence_.encode_states(epoch_));
    world_.checker.fail("useful", "refused though it was read just now: " + fill.snapshot.to_string());
}

std::shared_ptr<const Entry> Replica::entry_of(const Fill& fill) const {
    auto entry = std::make_shared<Entry>();
    entry->body = std::make_shared<const std::string>(fill.answer.to_bytes());
    entry->tags = world_.tags[static_cast<std::size_t>(fill.answer.question)];
    entry->snapshot = fill.snapshot;
    entry->stored = fill.began;
    entry->fresh_for = std::chrono::milliseconds(fresh_ms);
    return entry;
}

void Replica::finish(Fill& fill) {
    world_.note("replica ", id_, " has read ", static_cast<int>(fill.flight->leader.question));
    if (!fill.flight->alone)
        world_.checker.fill_ends(id_, place_of(fill.flight->leader.question, fill.flight->leader.who), fill.flight->name,
                                 fill.flight->leased);
    if (fill.flight->leased != 0 && world_.redis.up)
        world_.redis.release(fill.flight->name, fill.flight->owner, world_.fault == Fault::lease_of_another_released);
    if (!fill.done) return land(fill.key, fill.flight, nullptr);
    if (world_.fault == Fault::snapshot_after_read) fill.snapshot = world_.postgres.snapshot();
    const auto entry = entry_of(fill);
    if (fill.era == era_ || world_.fault == Fault::fill_crosses_epochs) {
        return land(fill.key, fill.flight, store(fill.key, entry));
    }
    land(fill.key, fill.flight, nullptr);
}

// What stays: what was read later may have been stored meanwhile, and who waits must not get an older one.
std::shared_ptr<const Entry> Replica::store(const std::string& key, std::shared_ptr<const Entry> entry) {
    if (!trusted() || !fence_.valid(entry->snapshot, entry->tags)) return entry;
    if (auto kept = keep(key, entry); kept != entry) return kept;
    share(key, *entry);
    const Answer answer = Answer::from_bytes(*entry->body);
    knows_.given[place_of(answer.question, answer.who)] = answer.values;  // to who asked for it
    return entry;
}

// Of two that are both valid the one that was read later stays.
std::shared_ptr<const Entry> Replica::keep(const std::string& key, std::shared_ptr<const Entry> entry) {
    const Question question = Answer::from_bytes(*entry->body).question;
    cache::Kept* present = store_.look(key);
    if (present == nullptr) forget_given(key);
    if (present != nullptr && world_.fault != Fault::older_entry_replaces_newer) {
        const bool fresh = use_of(*present->entry, question, nullptr, present->known_valid) == Use::fresh;
        if (fresh && !entry->snapshot.contains(present->entry->snapshot)) return present->entry;
    }
    cache::Kept kept;
    kept.entry = entry;
    kept.known_valid = entry->stored;
    store_.put(key, std::move(kept));
    return entry;
}

// An order is promised for as long as what was given is in memory; a small memory may let go even of what has just come.
void Replica::forget_given(const std::string& key) {
    for (std::size_t place = 0; place < places; ++place)
        if (world_.keys[place] == key) knows_.given[place] = {};
}

// It may come late; what Redis has by then stays if it was read later.
void Replica::share(const std::string& key, const Entry& entry) {
    const bool calm = world_.scenario.calm;
    const Ms delay = !calm && world_.random.one_in(10) ? world_.random.between(50, 3'000) : world_.random.between(0, 5);
    const std::string name = epoch_ + key;
    if (!calm && world_.random.one_in(20)) return;  // lost
    world_.agenda.after(delay, nullptr, [this, name, order = cache::order_of(entry), bytes = cache::encode(entry, name)] {
        if (!world_.redis.up) return;
        const Redis::Stored* before = world_.redis.get(name, world_.now());
        const std::string present = before != nullptr ? before->bytes : std::string();
        const bool newer_wins = world_.fault != Fault::older_entry_wins_in_redis;
        if (!world_.redis.set(name, order, bytes, world_.now() + fresh_ms, newer_wins) || present.empty()) return;
        const auto old = cache::decode(present, name), now = cache::decode(bytes, name);
        if (old && now) world_.checker.in_redis(Answer::from_bytes(*old->body), Answer::from_bytes(*now->body));
    });
}

// Who waited gets it if it holds for them too; else they ask again, a few times.
void Replica::land(const std::string& key, const FlightPointer& flight, const std::shared_ptr<const Entry>& entry) {
    if (const auto found = flights_.find(key); found != flights_.end() && found->second == flight) flights_.erase(found);
    if (!entry) give_spare(key, flight->leader);
    for (Waiter waiter : flight->waiters) {
        const bool usable = entry && use_of(*entry, waiter.question, waiter.token, entry->stored) == Use::fresh;
        if (usable) {
            give(entry, waiter, Use::fresh);
        } else if (++waiter.asked < 3) {
            ask(waiter);
        }
    }
}

// It knows of its own write before it answers.
void Replica::wrote(const Announcement& said) {
    if (process_.dead) return;
    if (world_.fault != Fault::own_write_not_applied) apply(said);
    for (const Change& change : said.changes) knows_.own[change.cell] = {change.version, world_.postgres.lives()};
}

}  // namespace millrace::sim
