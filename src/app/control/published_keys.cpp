// Decides when the published keys are read; one reading at a time.
#include "published_keys.hpp"

#include <boost/asio/post.hpp>
#include <chrono>

#include "millrace/core/auth.hpp"
#include "millrace/io/fetch.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration apart = 5s;  // readings that tokens ask for: whoever invents key ids must not have the publisher flooded

double jitter() {
    const auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
    return static_cast<double>(ticks % 1000) / 1000.0;
}

}  // namespace

PublishedKeys::PublishedKeys(boost::asio::io_context& control, const config::AuthSettings& settings, events::Observer& observer,
                             std::function<void()> changed, std::function<void()> settled)
    : control_(control),
      next_(control),
      url_(settings.jwks_url),
      every_(std::chrono::milliseconds(settings.jwks_refresh_ms)),
      observer_(observer),
      changed_(std::move(changed)),
      settled_(std::move(settled)),
      backoff_(500ms, every_) {}

PublishedKeys::~PublishedKeys() { blocking_.join(); }

void PublishedKeys::start() {
    if (!url_.empty()) begin();
}

void PublishedKeys::stop() {
    stopped_ = true;
    next_.cancel();
}

void PublishedKeys::wanted() {
    if (reading_ || stopped_) return;
    if (url_.empty() || net::now() < wanted_ + apart) return settled_();
    wanted_ = net::now();
    begin();
}

void PublishedKeys::begin() {
    reading_ = true;
    next_.cancel();
    boost::asio::post(blocking_, [this] {
        auto read = fetch::get(url_);
        if (read)
            if (auto keys = auth::Keys::read({}, false, *read); !keys) read = keys.error();
        boost::asio::post(control_, [this, read = std::move(read)]() mutable { finished(std::move(read)); });
    });
}

void PublishedKeys::finished(Result<std::string> read) {
    reading_ = false;
    if (stopped_) return;
    const bool changed = read && *read != jwks_;
    if (!read || changed)
        observer_.on(events::Reloaded{"jwks", read.has_value(), read ? std::string_view() : read.error().message});
    if (read) backoff_.reset();
    if (changed) {
        jwks_ = *std::move(read);
        changed_();
    }
    settled_();
    wait(read ? every_ : backoff_.next(jitter()));
}

void PublishedKeys::wait(Duration pause) {
    next_.expires_after(pause);
    next_.async_wait([this](boost::system::error_code error) {
        if (!error && !stopped_ && !reading_) begin();
    });
}

}  // namespace millrace::app
