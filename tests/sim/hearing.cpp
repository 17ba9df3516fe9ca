// What a replica hears: invalidations, beats and their absence, gaps and what ends them, other lives of the database.
#include <algorithm>
#include <utility>

#include "replica.hpp"

namespace millrace::sim {

using fence::Invalidation;

Replica::Replica(World& world, int id, Bounds bounds)
    : world_(world),
      id_(id),
      skew_(world.random.between(-skew_ms_max, skew_ms_max)),
      bounds_(bounds),
      fence_(bounds.tags, bounds.ring, bounds.pending),
      store_(world.scenario.memory_bytes) {
    connect();
}

WallTime Replica::wall() const { return WallTime(std::chrono::milliseconds(1'700'000'000'000 + world_.now() + skew_)); }

bool Replica::trusted() const {
    return fence_.fenced() && (trust_.holds(steady(world_.now())) || world_.fault == Fault::silence_unnoticed);
}

void Replica::connect() {
    after(world_.random.between(5, 200), [this] {
        if (!world_.database_up || open_) return connect();
        ++channel_;
        ++connects_;
        inbox_.clear();
        listening_ = connecting_ = true;
        beat_.underway = false;
        channel_free_at_ = world_.now();
        if (world_.fault == Fault::snapshot_before_listen) {
            take_since();
            return after(world_.random.between(1, 300),
                         [this, channel = channel_] { open_ = channel == channel_ && listening_; });
        }
        open_ = true;
        after(world_.random.between(1, 30), [this, channel = channel_] {
            if (channel == channel_ && open_) return take_since();
            listening_ = connecting_ = false;
            connect();
        });
    });
}

// After LISTEN; of a decoded stream also what was announced before it began to listen and is not visible yet.
void Replica::take_since() {
    connecting_ = false;
    world_.note("replica ", id_, " listens, since ", world_.postgres.snapshot().to_string());
    since_ = world_.postgres.snapshot();
    since_at_ = world_.now();
    since_values_ = world_.postgres.values();
    for (std::size_t i = 0; i < questions; ++i) {
        since_purged_[i] = world_.checker.last_purge(static_cast<Question>(i), false, world_.now());
        since_purged_hard_[i] = world_.checker.last_purge(static_cast<Question>(i), true, world_.now());
    }
    if (world_.scenario.decoding && world_.fault != Fault::unseen_not_said_again)
        for (const Announcement& said : world_.postgres.invisible()) push({said, false, 0});
    read_catalog();
}

// A reading that was asked for before the replica last connected says nothing of what it hears now.
void Replica::read_catalog() {
    reading_ = true;
    after(world_.random.between(1, 200), [this, connects = connects_] {
        if (connects != connects_) return;
        if (!world_.database_up) return read_catalog();
        reading_ = false;
        if (listening_) end_gap();
    });
}

// The catalog was read, so it is known whose xids these are. As the process does it: it may not have noticed yet that the
// channel is gone.
void Replica::end_gap() {
    set_epoch(world_.postgres.timeline(), world_.postgres.crashes());
    if (!gap_before_) first_since_ = since_;
    if (world_.fault == Fault::gap_forgets_the_unseen) {
        fence_.lose();
        fence_.forget();
    }
    PgSnapshot since = world_.fault == Fault::gap_without_floor && gap_before_ ? first_since_ : since_;
    const auto* published = world_.redis.published(epoch_);
    if (world_.fault == Fault::adopts_too_early && !gap_before_ && published != nullptr)
        since = PgSnapshot::parse(published->latest).value_or(since);
    gap_before_ = true;
    fence_.gap(since);
    lives_heard_.clear();
    trust_.prove(steady(since_at_));
    for (std::size_t i = 0; i < cells; ++i) knows_.heard[i] = std::max(knows_.heard[i], since_values_[i]);
    for (std::size_t i = 0; i < questions; ++i) {
        knows_.purged[i] = std::max(knows_.purged[i], since_purged_[i]);
        knows_.purged_hard[i] = std::max(knows_.purged_hard[i], since_purged_hard_[i]);
    }
    world_.note("replica ", id_, " ends its gap at ", since.to_string(), " in ", epoch_);
    peers(true);
    begin_beat();
}

std::string Replica::epoch_of(std::uint32_t timeline, std::uint32_t crashes) const {
    if (world_.fault == Fault::epoch_ignored) return "epoch:";
    std::string epoch = "epoch:" + std::to_string(timeline);
    if (world_.fault != Fault::crash_unnoticed) epoch += '.' + std::to_string(crashes);
    return epoch += ':';
}

void Replica::set_epoch(std::uint32_t timeline, std::uint32_t crashes) {
    const std::string epoch = epoch_of(timeline, crashes);
    const std::uint32_t life = world_.postgres.lives();
    if (life != knows_.life) {
        knows_.heard = {};
        knows_.purged = knows_.purged_hard = {};
        knows_.given = {};
    }
    knows_.life = life;
    const bool others = std::ranges::any_of(lives_heard_, [&](std::uint32_t heard) { return heard != life; });
    carries_over_ = others || (carries_over_ && epoch == epoch_);
    for (const Announcement& said : std::exchange(unplaced_, {}))
        if (said.life == life) learn(said);
    if (epoch == epoch_) return;
    epoch_ = epoch;
    ++era_;
    gap_before_ = false;
    fence_.forget();
    trust_.lose();
    store_.clear();
}

void Replica::lose_channel() {
    ++channel_;
    open_ = false;
    inbox_.clear();
    if (!world_.random.one_in(4)) after(world_.random.between(0, 3'000), [this] { notice_loss(); });
}

void Replica::notice_loss() {
    if (open_ || !listening_ || connecting_) return;
    world_.note("replica ", id_, " notices that its channel is gone");
    listening_ = false;
    lives_heard_.clear();
    if (world_.fault != Fault::silence_unnoticed) fence_.lose();
    connect();
}

void Replica::hear(const Announcement& said) {
    if (open_) push({said, false, 0});
}

// In order, each after a delay; now and then the channel is held up for long, and a message comes once more later.
void Replica::push(Message message) {
    Ms delay = world_.random.between(0, world_.scenario.channel_ms_max);
    if (!world_.scenario.calm && world_.random.one_in(150)) delay += world_.random.between(500, 9'000);
    channel_free_at_ = std::max(channel_free_at_, world_.now() + delay);
    if (!message.beat && world_.random.one_in(20))
        after(channel_free_at_ - world_.now() + world_.random.between(0, 2'000),
              [this, said = message.said, channel = channel_] {
                  if (channel == channel_) apply(said);
              });
    inbox_.push_back(std::move(message));
    after(channel_free_at_ - world_.now(), [this, channel = channel_] {
        if (channel == channel_ && !inbox_.empty()) deliver();
    });
}

void Replica::deliver() {
    const Message message = std::move(inbox_.front());
    inbox_.pop_front();
    if (!message.beat) return apply(message.said);
    if (message.number == beat_.number) take_beat();
}

void Replica::apply(const Announcement& said) {
    if (said.payload.find(' ') == std::string::npos) return;  // it wrote nothing
    auto invalidation = fence::parse_invalidation(said.payload);
    if (!invalidation) return world_.checker.fail("payload", said.payload);
    world_.note("replica ", id_, " hears ", said.payload);
    if (world_.fault == Fault::narrow_write_without_table && said.payload.find('#') != std::string::npos)
        std::erase_if(invalidation->tags, [](const fence::Tag& tag) { return tag.find('#') == fence::Tag::npos; });
    if (world_.fault == Fault::purge_unnoticed) invalidation->purged.clear();
    if (!fence_.fenced()) lives_heard_.push_back(said.life);
    fence_.invalidate(*invalidation);
    if (knows_.life != said.life) return unplaced_.push_back(said);
    learn(said);
}

void Replica::learn(const Announcement& said) {
    for (const Change& change : said.changes) knows_.heard[change.cell] = std::max(knows_.heard[change.cell], change.version);
    for (std::size_t i = 0; i < questions; ++i) {
        if (!said.purges(static_cast<Question>(i))) continue;
        knows_.purged[i] = std::max(knows_.purged[i], said.at);
        if (said.hard) knows_.purged_hard[i] = std::max(knows_.purged_hard[i], said.at);
    }
}

// The snapshot first, in a transaction of its own; then the NOTIFY, which stands in the queue after all that it sees.
void Replica::begin_beat() {
    if (!listening_ || beat_.underway) return;
    beat_ = {true, beat_.number + 1, world_.now(), {}};
    watch_beat(beat_.number);
    after(world_.random.between(1, 40), [this, number = beat_.number] {
        if (number != beat_.number || !beat_.underway || !open_ || !world_.database_up) return;
        beat_.snapshot = world_.postgres.snapshot();
        after(world_.random.between(1, 40), [this, number] {
            if (number == beat_.number && beat_.underway) send_beat();
        });
    });
}

void Replica::send_beat() {
    if (!open_ || !world_.database_up) return;
    push({{}, true, beat_.number});
    if (world_.fault == Fault::beat_after_its_notify)
        after(world_.random.between(1, 40), [this, number = beat_.number] {
            if (number == beat_.number) beat_.snapshot = world_.postgres.snapshot();
        });
}

// The process's own timer, which is stopped with it.
void Replica::watch_beat(std::uint64_t number) {
    after(lag_limit_ms + heartbeat_ms, [this, number] {
        if (number != beat_.number || !beat_.underway) return;
        world_.note("replica ", id_, " hears nothing");
        beat_.underway = false;
        open_ = false;
        notice_loss();
    });
}

void Replica::take_beat() {
    beat_.underway = false;
    const Ms lag = world_.now() - beat_.began;
    trust_.prove(steady(world_.fault == Fault::beat_counts_from_its_return ? world_.now() : beat_.began));
    if (lag > lag_limit_ms && world_.fault != Fault::silence_unnoticed && world_.fault != Fault::beat_counts_from_its_return) {
        world_.note("replica ", id_, " is ", lag, "ms behind");
        fence_.unfence();
    } else if (!fence_.fenced()) {
        catch_up();
    } else {
        fence_.heartbeat(beat_.snapshot);
    }
    peers(false);
    after(heartbeat_ms, [this] { begin_beat(); });
}

// Everything before this beat was heard, so a gap may end there; but whose xids these are the catalog says.
void Replica::catch_up() {
    if (reading_ || connecting_) return;
    if (!since_.contains(beat_.snapshot)) since_ = beat_.snapshot;
    since_at_ = beat_.began;
    read_catalog();
}

// What a fence knows goes to those who have begun to listen since.
void Replica::peers(bool fresh) {
    if (!world_.redis.up || !fence_.fenced() || bounds_.tags < 100) return;
    if (const auto* published = world_.redis.published(epoch_); published != nullptr && (fresh || world_.random.one_in(3)))
        if (fence_.adopt_states(published->states, epoch_)) {
            ++world_.checker.counts.adopted;
            carries_over_ |= published->carries_over;
            world_.note("replica ", id_, " adopts what a peer knows as of ", published->latest);
        }
    if (world_.random.one_in(4))
        world_.redis.publish(epoch_, {fence_.encode_states(epoch_), fence_.latest().to_string(), carries_over_});
}

}  // namespace millrace::sim
