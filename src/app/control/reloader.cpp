// One reload at a time: files and catalog are read on a thread of their own, the outcome is published on the control thread.
#include "reloader.hpp"

#include <boost/asio/post.hpp>
#include <chrono>

#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

std::string joined(const std::vector<config::Problem>& problems) {
    std::string out;
    for (const config::Problem& problem : problems) out += (out.empty() ? "" : "; ") + config::to_line(problem);
    return out;
}

// Spread enough that replicas which lost the same Postgres do not come back in step.
double jitter() {
    const auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
    return static_cast<double>(ticks % 1000) / 1000.0;
}

}  // namespace

struct Reloader::Attempt {
    TimePoint asked;
    bool files_too = false;
    Files files;
    std::shared_ptr<const catalog::Catalog> catalog;
    Built built;
    std::string database_error;
};

Reloader::Reloader(boost::asio::io_context& control, Source source, Files files, events::Observer& observer, Publish publish)
    : control_(control),
      retry_(control),
      source_(std::move(source)),
      files_(std::move(files)),
      observer_(observer),
      publish_(std::move(publish)),
      backoff_(100ms, 5s) {}

Reloader::~Reloader() { blocking_.join(); }

void Reloader::stop() {
    stopped_ = true;
    retry_.cancel();
}

void Reloader::request(bool files_too) {
    if (stopped_) return;
    files_wanted_ = files_wanted_ || files_too;
    again_ = true;
    if (!running_) begin();
}

void Reloader::begin() {
    running_ = true;
    again_ = false;
    Attempt attempt;
    attempt.asked = net::now();
    attempt.files_too = std::exchange(files_wanted_, false);
    attempt.files = files_;
    boost::asio::post(blocking_, [this, attempt = std::move(attempt)]() mutable {
        if (attempt.files_too) attempt.files = read_files(source_);
        if (attempt.files.problems.empty()) {
            auto catalog = read_catalog(attempt.files);
            if (catalog) {
                attempt.catalog = std::move(*catalog);
                attempt.built = build_snapshot(attempt.files, attempt.catalog);
            } else {
                attempt.database_error = catalog.error().message;
            }
        }
        boost::asio::post(control_, [this, attempt = std::move(attempt)]() mutable { finished(std::move(attempt)); });
    });
}

void Reloader::report(const Attempt& attempt) {
    const char* what = attempt.files_too ? "config" : "catalog";
    if (attempt.built.snapshot) {
        observer_.on(events::Reloaded{what, true, {}});
    } else if (!attempt.files.problems.empty()) {
        observer_.on(events::Reloaded{what, false, joined(attempt.files.problems)});
    } else if (!attempt.catalog) {
        observer_.on(events::Reloaded{what, false, attempt.database_error});
    } else {
        observer_.on(events::Reloaded{what, false, joined(attempt.built.problems)});
    }
}

void Reloader::finished(Attempt attempt) {
    running_ = false;
    if (stopped_) return;
    report(attempt);
    if (attempt.built.snapshot) files_ = attempt.files;
    const bool renewed = attempt.files_too && attempt.built.snapshot;
    publish_(Outcome{attempt.asked, attempt.catalog, attempt.built.snapshot,
                     renewed ? attempt.files.certificates : Certificates(), !again_});
    const bool unreachable = attempt.files.problems.empty() && !attempt.catalog;
    if (unreachable) {
        files_wanted_ = files_wanted_ || attempt.files_too;
        return retry_later();
    }
    backoff_.reset();
    if (again_) begin();
}

void Reloader::retry_later() {
    retry_.expires_after(backoff_.next(jitter()));
    retry_.async_wait([this](boost::system::error_code error) {
        if (!error && !stopped_ && !running_) begin();
    });
}

}  // namespace millrace::app
