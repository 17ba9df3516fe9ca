// A process's life: start what serves, keep it current, and end it in order.
#include "process.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cache_view.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr Duration stuck_after = 5s;  // a worker whose loop has not turned for so long is no good
constexpr Duration tail_max = 5s;     // for workers to end after their drain's deadline

std::size_t worker_count(const config::Settings& settings) {
    return settings.workers > 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

std::vector<std::string> channels() { return {std::string(pg::invalidation_channel), std::string(pg::control_channel)}; }

std::string endpoint(const config::Listen& listen, std::uint16_t port) { return listen.address + ":" + std::to_string(port); }

}  // namespace

Process::Process(Source source, Files files)
    : settings_(files.settings),
      telemetry_(settings_.log),
      observer_(telemetry_.recorder()),
      tasks_(control_, observer_),
      signals_(control_, SIGTERM, SIGINT, SIGHUP),
      worker_ended_(control_),
      certificates_(files.certificates),
      admin_handler_(admin_view(), settings_.auth.admin_token),
      reloader_(control_, std::move(source), std::move(files), observer_,
                [this](const Reloader::Outcome& outcome) { publish(outcome); }),
      published_keys_(
          control_, settings_.auth, observer_, [this] { adopt(snapshot_); }, [this] { keys_settled(); }),
      invalidator_(workers_, std::chrono::milliseconds(settings_.cache.lag_limit_ms), observer_,
                   [this](bool files_too) { reloader_.request(files_too); }),
      catalog_watch_(control_, settings_.database.url, std::chrono::milliseconds(settings_.cache.catalog_poll_ms),
                     [this](std::string_view snapshot) { invalidator_.catalog_changed(snapshot); }),
      purger_(control_, settings_.database.url),
      listener_(control_, settings_.database.url, channels(), std::chrono::milliseconds(settings_.cache.heartbeat_ms),
                listened()) {}

// Where changes are decoded, the listener is one source of two.
pg::Notifications Process::listened() {
    if (settings_.cache.invalidation_source != "decoding") return invalidator_.callbacks();
    decoding_ = std::make_unique<Decoding>(control_, settings_, observer_, invalidator_.callbacks());
    return decoding_->listener();
}

int Process::run(const std::shared_ptr<const pipeline::Snapshot>& first) {
    snapshot_ = first;
    observer_.on(events::Lifecycle{"starting", telemetry::version()});
    if (!open(first)) return EXIT_FAILURE;
    start_workers();
    listener_.start();
    catalog_watch_.start();
    published_keys_.start();
    if (decoding_) decoding_->start();
    if (!first->catalog) reloader_.request(false);
    tasks_.spawn("signals", obey_signals());
    control_.run();
    for (std::thread& thread : threads_) thread.join();
    observer_.on(events::Lifecycle{"stopped", {}});
    telemetry_.flush();
    return EXIT_SUCCESS;
}

bool Process::open(const std::shared_ptr<const pipeline::Snapshot>& first) {
    config::Listen listen = settings_.listen;
    for (std::size_t i = 0; i < worker_count(settings_); ++i) {
        auto tell_others = [this, i](const fence::Invalidation& invalidation) { broadcast(i, invalidation); };
        auto ask_for_keys = [this] { asio::post(control_, [this] { published_keys_.wanted(); }); };
        workers_.push_back(
            std::make_unique<Worker>(first, telemetry_.recorder(), fills_, std::move(tell_others), std::move(ask_for_keys)));
        auto port = workers_.back()->open(listen, certificates_.api);
        if (!port) {
            std::cerr << port.error().message << '\n';
            return false;
        }
        listen.port = *port;  // the first one's, when the system was to choose; SO_REUSEPORT shares it
    }
    observer_.on(events::Lifecycle{"listening", endpoint(listen, listen.port)});
    return open_admin();
}

bool Process::open_admin() {
    http::ServerOptions options;
    options.listen = settings_.admin;
    options.http = settings_.http;
    options.emit_requests = false;
    options.tls = certificates_.admin;
    admin_ = std::make_unique<http::Server>(control_, std::move(options), admin_handler_, observer_);
    auto port = admin_->open();
    if (!port) {
        std::cerr << port.error().message << '\n';
        return false;
    }
    observer_.on(events::Lifecycle{"admin listening", endpoint(settings_.admin, *port)});
    admin_->start();
    return true;
}

void Process::start_workers() {
    for (const auto& worker : workers_)
        threads_.emplace_back([this, &worker] {
            worker->run();
            asio::post(control_, [this] {
                ++ended_;
                worker_ended_.notify_all();
            });
        });
}

AdminView Process::admin_view() {
    AdminView view;
    view.metrics = [this] { return telemetry_.scrape(); };
    view.readiness = [this] { return readiness(); };
    view.config_json = [this] { return config::masked_json(snapshot_->settings); };
    view.cache_json = [this] { return cache_json(); };
    view.purge = [this](PurgeOrder order) { return purge(std::move(order)); };
    return view;
}

// A replica stays ready while Postgres or Redis are away: all replicas share them, so taking all of them out would turn cached
// answers and honest 503s into refused connections. It is not ready before it ever had a catalog.
Readiness Process::readiness() const {
    const auto now = net::now().time_since_epoch();
    bool alive = true, database = true, redis = true, fenced = true;
    for (const auto& worker : workers_) {
        const Health& health = worker->health();
        alive = alive && now - std::chrono::milliseconds(health.ticked_ms) < stuck_after;
        database = database && health.database;
        redis = redis && health.redis;
        fenced = fenced && health.fenced;
    }
    Readiness result;
    result.ready = alive && !draining_ && snapshot_->catalog != nullptr;
    result.checks = {{"lifecycle", draining_ ? "draining" : "serving"},
                     {"workers", alive ? "up" : "stuck"},
                     {"catalog", snapshot_->catalog ? "loaded" : "missing"},
                     {"database", database ? "up" : "down"},
                     {"redis", settings_.redis.url.empty() ? "off"
                               : redis                     ? "up"
                                                           : "down"},
                     {"cache", fenced ? "fenced" : "unfenced"}};
    return result;
}

// This process knows of it before it is answered; the others and their entries in Redis hear of it as of any write.
asio::awaitable<Result<std::string>> Process::purge(PurgeOrder order) {
    auto xid = co_await purger_.purge(order.tags);
    if (!xid) co_return xid;
    observer_.on(events::CachePurged{order.scope, order.hard});
    std::string payload = *xid;
    for (const std::string& tag : order.tags) payload.append(1, ' ').append(tag);
    const auto parsed = fence::parse_invalidation(payload);
    if (parsed) invalidator_.apply(*parsed, "purge");
    co_return xid;
}

std::string Process::cache_json() const {
    CacheView view;
    view.totals = telemetry_.cache_totals();
    view.fenced = true;
    for (const auto& worker : workers_) {
        const Health& health = worker->health();
        view.entries += health.cache_entries;
        view.bytes += health.cache_bytes;
        view.fills = health.fills;  // of the whole process
        view.fenced = view.fenced && health.fenced;
    }
    view.lag = invalidator_.lag();
    view.epoch = invalidator_.epoch();
    return to_json(view);
}

void Process::publish(const Reloader::Outcome& outcome) {
    if (outcome.snapshot) {
        if (!snapshot_->catalog) observer_.on(events::Lifecycle{"ready", "the catalog is loaded"});
        telemetry_.configure(outcome.snapshot->settings.log);
        adopt(outcome.snapshot);
        renew(outcome.certificates);
    }
    if (outcome.catalog)
        publish_catalog(outcome);
    else if (outcome.last)
        invalidator_.catalog_failed();
}

// With the keys that are published now. They were read as keys before, so that they can be read again.
void Process::adopt(const std::shared_ptr<const pipeline::Snapshot>& snapshot) {
    snapshot_ = snapshot;
    if (!published_keys_.jwks().empty()) {
        const config::AuthSettings& auth = snapshot->settings.auth;
        auto keys = auth::Keys::read(auth.jwt_secret, auth.jwt_secret_is_base64, published_keys_.jwks(), auth.jwt_algorithms);
        auto with_keys = std::make_shared<pipeline::Snapshot>(*snapshot);
        if (keys) with_keys->keys = *std::move(keys);
        snapshot_ = std::move(with_keys);
    }
    for (const auto& worker : workers_) worker->adopt(snapshot_);
}

void Process::keys_settled() {
    for (const auto& worker : workers_) worker->keys_settled();
}

// A listener that began plain stays so, and the other way round.
void Process::renew(const Certificates& certificates) {
    if (certificates.admin) admin_->renew(certificates.admin);
    if (!certificates.api) return;
    for (const auto& worker : workers_) worker->renew(certificates.api);
}

// What entries depend on was planned with the catalog that is served: while another is there, nothing may be trusted.
void Process::publish_catalog(const Reloader::Outcome& outcome) {
    const catalog::Catalog& read = *outcome.catalog;
    catalog_watch_.catalog_read(read);
    if (!outcome.last) return;
    const Epoch epoch{read.system_identifier, read.timeline, read.incarnation};
    if (decoding_ && !decoding_->is_of(epoch)) return;
    const bool served = snapshot_->catalog && snapshot_->catalog->fingerprint == read.fingerprint;
    if (served)
        invalidator_.catalog_read(epoch, read.state.snapshot, outcome.asked);
    else
        invalidator_.catalog_refused();
}

void Process::broadcast(std::size_t from, const fence::Invalidation& invalidation) {
    if (workers_.size() == 1) return;
    const auto shared = std::make_shared<const fence::Invalidation>(invalidation);
    for (std::size_t i = 0; i < workers_.size(); ++i)
        if (i != from) workers_[i]->invalidate(shared);
}

asio::awaitable<void> Process::obey_signals() {
    for (;;) {
        const int signal = co_await signals_.async_wait(asio::use_awaitable);
        if (signal != SIGHUP) break;
        reloader_.request(true);
    }
    // Who asks twice does not want to wait.
    signals_.async_wait([](boost::system::error_code error, int) {
        if (!error) std::quick_exit(EXIT_FAILURE);
    });
    co_await drain();
}

// Readiness fails first, so that whoever balances the load looks elsewhere while everything is still served; only then are new
// connections refused and the open ones asked to end.
asio::awaitable<void> Process::drain() {
    draining_ = true;
    observer_.on(events::Lifecycle{"draining", {}});
    co_await net::sleep_for(std::chrono::milliseconds(settings_.drain.pause_ms));
    const Deadline deadline{net::now() + std::chrono::milliseconds(settings_.drain.deadline_ms)};
    for (const auto& worker : workers_) worker->drain(deadline);
    const Deadline patience{deadline.at + tail_max};
    const bool ended = co_await workers_ended(patience);
    if (!ended) std::quick_exit(EXIT_FAILURE);
    listener_.stop();
    catalog_watch_.stop();
    published_keys_.stop();
    if (decoding_) decoding_->stop();
    reloader_.stop();
    purger_.stop();
    admin_->abort();
    control_.stop();
}

asio::awaitable<bool> Process::workers_ended(Deadline deadline) {
    while (ended_ < workers_.size()) {
        const bool in_time = co_await worker_ended_.wait(deadline);
        if (!in_time) co_return false;
    }
    co_return true;
}

}  // namespace millrace::app
