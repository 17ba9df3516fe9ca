// Turns what is heard on the channel into what a source of invalidations tells.
#include "millrace/app/decoding.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "announcing.hpp"
#include "channel.hpp"
#include "millrace/core/feed.hpp"
#include "millrace/io/net.hpp"
#include "paired.hpp"

namespace millrace::app {
namespace {

using Side = feed::Pair::Side;

Duration silence_of(const config::CacheSettings& cache) {
    return std::chrono::milliseconds(std::max(cache.lag_limit_ms, 3 * cache.heartbeat_ms));
}

pg::SlotSettings slot_of(const config::Settings& settings) {
    pg::SlotSettings slot;
    slot.url = settings.database.replication_url.empty() ? settings.database.url : settings.database.replication_url;
    slot.slot = settings.cache.slot;
    slot.beat = std::chrono::milliseconds(settings.cache.heartbeat_ms);
    slot.may_evict = !settings.redis.url.empty();  // by oneself one cannot know whose turn it is
    return slot;
}

std::unique_ptr<Channel> channel_of(boost::asio::io_context& context, const config::Settings& settings, Duration turn,
                                    events::Observer& observer) {
    if (settings.redis.url.empty()) return local_channel();
    return redis_channel(context, settings.redis, turn, observer);
}

}  // namespace

struct Decoding::State {
    State(boost::asio::io_context& context, const config::Settings& settings, events::Observer& observer,
          pg::Notifications tell)
        : silence_max(silence_of(settings.cache)),
          paired(silence_max, std::move(tell)),
          told(paired.side(Side::decoded)),
          tasks(context, observer),
          channel(channel_of(context, settings, silence_max / 2, observer)),
          announcing(
              context, slot_of(settings), *channel, silence_max / 2, [this] { return follower.highest_term(); }, observer) {}

    void act(const feed::Heard& heard) const;
    void lose(const std::optional<std::string>& reason) const;
    [[nodiscard]] asio::awaitable<void> watch();

    const Duration silence_max;
    Paired paired;
    const pg::Notifications told;
    net::TaskGroup tasks;
    feed::Follower follower;
    std::unique_ptr<Channel> channel;
    Announcing announcing;
};

Decoding::Decoding(boost::asio::io_context& context, const config::Settings& settings, events::Observer& observer,
                   pg::Notifications tell)
    : state_(std::make_unique<State>(context, settings, observer, std::move(tell))) {}

Decoding::~Decoding() = default;

pg::Notifications Decoding::listener() { return state_->paired.side(Side::notify); }

void Decoding::start() {
    Channel::Ears ears;
    ears.subscribed = [s = state_.get()] { s->follower.subscribed(); };
    ears.heard = [s = state_.get()](std::string_view text) { s->act(s->follower.hear(text, net::now())); };
    ears.lost = [s = state_.get()](std::string_view reason) { s->lose(s->follower.lost(reason)); };
    state_->channel->start(std::move(ears));
    state_->tasks.spawn("announcing", state_->announcing.live());
    state_->tasks.spawn("decoding watch", state_->watch());
}

void Decoding::stop() {
    state_->tasks.cancel();
    state_->channel->stop();
}

bool Decoding::is_of(const Epoch& epoch) const {
    const feed::Life& life = state_->follower.life();
    const bool same_cluster = epoch.system_identifier == 0 || epoch.system_identifier == life.system_identifier;
    return same_cluster && (epoch.timeline == 0 || epoch.timeline == life.timeline);
}

void Decoding::State::act(const feed::Heard& heard) const {
    lose(heard.gap);
    for (const std::string& payload : heard.payloads) told.notified(payload, pg::decoding_channel);
    if (heard.joined) told.listening(heard.joined->to_string());
    if (heard.beat) told.heartbeat(heard.beat->to_string(), net::now() - heard.lag);
}

void Decoding::State::lose(const std::optional<std::string>& reason) const {
    if (reason) told.lost(*reason);
}

asio::awaitable<void> Decoding::State::watch() {
    for (bool awake = true; awake;) {
        awake = co_await net::sleep_for(silence_max / 10);
        lose(follower.check(net::now(), silence_max));
    }
}

}  // namespace millrace::app
