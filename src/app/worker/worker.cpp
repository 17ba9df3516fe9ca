// Puts one worker together and moves what other threads tell it onto its own loop.
#include "millrace/app/worker.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "millrace/app/handler.hpp"
#include "millrace/app/standby.hpp"
#include "millrace/app/tiered_cache.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "millrace/io/redis.hpp"
#include "millrace/io/services.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;

constexpr Duration tick_every = std::chrono::milliseconds(500);
constexpr Duration tail_max = std::chrono::seconds(2);  // for lanes and tasks after the last request has gone

std::unique_ptr<redis::Link> link_to(asio::io_context& context, const config::RedisSettings& settings,
                                     const config::LimitSettings& limits, events::Observer& observer) {
    if (settings.url.empty()) return nullptr;
    auto address = redis::address_of(settings);
    if (!address) return nullptr;  // it was good when the files were read: a certificate went since then
    address->failures_max = limits.breaker_failures_max;
    address->left_alone_for = std::chrono::milliseconds(limits.breaker_open_ms);
    return std::make_unique<redis::Link>(context, std::move(*address), observer);
}

}  // namespace

struct Worker::State {
    State(std::shared_ptr<const pipeline::Snapshot> snapshot, events::Observer& o, std::shared_ptr<FillTable> fills,
          Broadcast broadcast, std::function<void()> ask_for_keys)
        : observer(o),
          settings(snapshot->settings),
          tasks(context, observer),
          background(context, observer),
          pool(context, settings.database, observer, settings.limits),
          standby(context, settings, observer),
          services(context, settings.limits, observer),
          link(link_to(context, settings.redis, settings.limits, observer)),
          cache(context, settings.cache, settings.redis, link.get(), observer, std::move(fills)),
          side(context),
          handler(
              std::move(snapshot),
              {pool, standby, services, cache, side, background, link.get(), keys_settled, std::move(ask_for_keys), observer},
              std::move(broadcast)) {}

    void hear(const fence::Invalidation& invalidation);
    asio::awaitable<void> tick();
    asio::awaitable<void> exchange_states();
    asio::awaitable<void> finish(Deadline deadline);

    // One thread runs it and has all of its sockets and timers: others only post to it.
    asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    asio::executor_work_guard<asio::io_context::executor_type> busy = asio::make_work_guard(context);
    events::Observer& observer;
    const config::Settings settings;  // those of the start: what shapes sockets and lanes does not change
    net::TaskGroup tasks, background;
    pg::Pool pool;
    Standby standby;
    services::Services services;
    std::unique_ptr<redis::Link> link;
    TieredCache cache;
    net::SideThread side;
    net::Signal keys_settled{context};
    RequestHandler handler;
    std::unique_ptr<http::Server> server;
    Health health;
};

Worker::Worker(std::shared_ptr<const pipeline::Snapshot> snapshot, events::Observer& observer, std::shared_ptr<FillTable> fills,
               Broadcast broadcast, std::function<void()> ask_for_keys)
    : state_(std::make_unique<State>(std::move(snapshot), observer, std::move(fills), std::move(broadcast),
                                     std::move(ask_for_keys))) {}

Worker::~Worker() = default;

Result<std::uint16_t> Worker::open(config::Listen listen, std::shared_ptr<const http::Tls> tls) {
    http::ServerOptions options;
    options.listen = std::move(listen);
    options.http = state_->settings.http;
    options.tls = std::move(tls);
    auto trusted = peer::Networks::parse(state_->settings.proxies.trusted);
    if (!trusted) return std::move(trusted).error();
    options.trusted = *std::move(trusted);
    auto send_proxy = peer::Networks::parse(state_->settings.proxies.protocol);
    if (!send_proxy) return std::move(send_proxy).error();
    options.send_proxy = *std::move(send_proxy);
    state_->server = std::make_unique<http::Server>(state_->context, std::move(options), state_->handler, state_->observer);
    return state_->server->open();
}

void Worker::run() {
    state_->pool.start();
    state_->standby.start();
    if (state_->link) state_->link->start();
    state_->server->start();
    state_->tasks.spawn("tick", state_->tick());
    state_->tasks.spawn("exchange states", state_->exchange_states());
    state_->context.run();
}

void Worker::State::hear(const fence::Invalidation& invalidation) {
    cache.invalidate(invalidation);
    const auto changes_keys = [](const fence::Tag& tag) { return tag == pg::api_keys_tag || tag == fence::everything; };
    if (std::ranges::any_of(invalidation.tags, changes_keys)) handler.forget_callers();
}

asio::awaitable<void> Worker::State::tick() {
    for (TimePoint last = net::now();;) {
        const TimePoint now = net::now();
        if (!cache.fenced(now)) observer.on(events::UnfencedFor{now - last});
        last = now;
        health.ticked_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
        health.database = pool.available();
        health.redis = link && link->up();
        health.fenced = cache.fenced(now);
        health.cache_entries = cache.store().entries();
        health.cache_bytes = cache.store().bytes();
        health.fills = cache.fills_in_flight();
        observer.on(events::CacheSize{cache.store().entries(), cache.store().bytes()});
        const bool awake = co_await net::sleep_for(tick_every);
        if (!awake) co_return;
    }
}

// Each worker publishes: what they know is the same, and any of them may be the one whose link is up.
asio::awaitable<void> Worker::State::exchange_states() {
    for (bool awake = true; awake;) {
        co_await cache.exchange_states(true);
        awake = co_await net::sleep_for(TieredCache::states_every);
    }
}

asio::awaitable<void> Worker::State::finish(Deadline deadline) {
    server->stop_accepting();
    server->drain();
    const bool all_gone = co_await server->drained(deadline);
    if (!all_gone) server->abort();
    background.cancel();
    services.stop();
    co_await standby.stop();
    co_await pool.stop();
    if (link) link->stop();
    tasks.cancel();
    const Deadline tail{net::now() + tail_max};
    co_await tasks.wait(tail);
    co_await background.wait(tail);
    busy.reset();
    context.stop();
}

void Worker::adopt(std::shared_ptr<const pipeline::Snapshot> snapshot) {
    asio::post(state_->context, [s = state_.get(), snapshot = std::move(snapshot)] { s->handler.adopt(snapshot); });
}

void Worker::renew(std::shared_ptr<const http::Tls> tls) {
    asio::post(state_->context, [s = state_.get(), tls = std::move(tls)]() mutable { s->server->renew(std::move(tls)); });
}

void Worker::keys_settled() {
    asio::post(state_->context, [s = state_.get()] { s->keys_settled.notify_all(); });
}

void Worker::invalidate(std::shared_ptr<const fence::Invalidation> invalidation) {
    asio::post(state_->context, [s = state_.get(), invalidation = std::move(invalidation)] { s->hear(*invalidation); });
}

void Worker::heartbeat(std::shared_ptr<const fence::PgSnapshot> snapshot, TimePoint asked) {
    asio::post(state_->context,
               [s = state_.get(), snapshot = std::move(snapshot), asked] { s->cache.heartbeat(*snapshot, asked); });
}

void Worker::fence(Epoch epoch, std::shared_ptr<const fence::PgSnapshot> since, TimePoint asked) {
    asio::post(state_->context, [s = state_.get(), epoch, since = std::move(since), asked] {
        s->cache.set_epoch(std::to_string(epoch.system_identifier), epoch.timeline, epoch.incarnation);
        s->cache.gap(*since, asked);
        s->handler.forget_callers();
    });
}

void Worker::unfence() {
    asio::post(state_->context, [s = state_.get()] { s->cache.unfence(); });
}

void Worker::lose() {
    asio::post(state_->context, [s = state_.get()] { s->cache.lose(); });
}

void Worker::drain(Deadline deadline) {
    asio::post(state_->context,
               [s = state_.get(), deadline] { asio::co_spawn(s->context, s->finish(deadline), [](std::exception_ptr) {}); });
}

const Health& Worker::health() const { return state_->health; }

}  // namespace millrace::app
