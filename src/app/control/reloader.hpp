// Reads files and catalog again, off every thread that serves.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>

#include "millrace/app/snapshot.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/policy.hpp"

namespace millrace::app {

// One thread (control); the blocking part runs on a thread of its own and posts its outcome back.
class Reloader {
public:
    struct Outcome {
        TimePoint asked;                                     // before anything was read
        std::shared_ptr<const catalog::Catalog> catalog;     // nothing when Postgres did not answer
        std::shared_ptr<const pipeline::Snapshot> snapshot;  // nothing when something is wrong; the old one stays
        Certificates certificates{};                         // when the files were read again and are good
        bool last = true;                                    // nobody has asked again since this was begun
    };
    using Publish = std::function<void(const Outcome&)>;

    Reloader(boost::asio::io_context& control, Source source, Files files, events::Observer& observer, Publish publish);
    ~Reloader();

    // Reads the catalog, and with `files_too` the files. A request that comes while one runs is served after it; a catalog that
    // could not be read is tried again with backoff until it could.
    void request(bool files_too);
    void stop();

private:
    struct Attempt;
    void begin();
    void finished(Attempt attempt);
    void retry_later();
    void report(const Attempt& attempt);

    boost::asio::io_context& control_;
    boost::asio::thread_pool blocking_{1};
    boost::asio::steady_timer retry_;
    Source source_;
    Files files_;
    events::Observer& observer_;
    Publish publish_;
    policy::Backoff backoff_;
    bool running_ = false, again_ = false, files_wanted_ = false, stopped_ = false;
};

}  // namespace millrace::app
