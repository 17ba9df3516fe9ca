// Everything a serving process owns, in the order in which it must be made and ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "catalog_watch.hpp"
#include "invalidator.hpp"
#include "millrace/app/admin.hpp"
#include "millrace/app/decoding.hpp"
#include "millrace/app/snapshot.hpp"
#include "millrace/app/tiered_cache.hpp"
#include "millrace/app/worker.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "millrace/io/telemetry.hpp"
#include "published_keys.hpp"
#include "purger.hpp"
#include "reloader.hpp"

namespace millrace::app {

class Process {
public:
    Process(Source source, Files files);

    // Opens the listeners and serves `first` until a signal ends it; the exit code.
    [[nodiscard]] int run(const std::shared_ptr<const pipeline::Snapshot>& first);

private:
    [[nodiscard]] bool open(const std::shared_ptr<const pipeline::Snapshot>& first);
    [[nodiscard]] bool open_admin();
    [[nodiscard]] pg::Notifications listened();
    [[nodiscard]] AdminView admin_view();
    [[nodiscard]] Readiness readiness() const;
    [[nodiscard]] std::string cache_json() const;
    [[nodiscard]] boost::asio::awaitable<Result<std::string>> purge(PurgeOrder order);
    void start_workers();
    void publish(const Reloader::Outcome& outcome);
    void renew(const Certificates& certificates);
    void adopt(const std::shared_ptr<const pipeline::Snapshot>& snapshot);
    void keys_settled();
    void publish_catalog(const Reloader::Outcome& outcome);
    void broadcast(std::size_t from, const fence::Invalidation& invalidation);
    [[nodiscard]] boost::asio::awaitable<void> obey_signals();
    [[nodiscard]] boost::asio::awaitable<void> drain();
    [[nodiscard]] boost::asio::awaitable<bool> workers_ended(Deadline deadline);

    const config::Settings settings_;  // those of the start: listeners, workers and backends keep them until a restart
    telemetry::Telemetry telemetry_;
    events::Observer& observer_;
    boost::asio::io_context control_{1};
    net::TaskGroup tasks_;
    boost::asio::signal_set signals_;
    net::Signal worker_ended_;
    std::size_t ended_ = 0;
    std::shared_ptr<const pipeline::Snapshot> snapshot_;
    const Certificates certificates_;  // those of the start
    AdminHandler admin_handler_;
    std::unique_ptr<http::Server> admin_;
    std::shared_ptr<FillTable> fills_ = std::make_shared<FillTable>();
    Workers workers_;
    std::vector<std::thread> threads_;
    Reloader reloader_;
    PublishedKeys published_keys_;
    Invalidator invalidator_;
    CatalogWatch catalog_watch_;
    Purger purger_;
    std::unique_ptr<Decoding> decoding_;  // where changes are decoded; before the listener, which tells it
    pg::Listener listener_;
    bool draining_ = false;
};

}  // namespace millrace::app
