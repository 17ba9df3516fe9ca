// The keys of tokens that somebody publishes (RFC 7517): read again and again, and when a token names one that is not known.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/policy.hpp"

namespace millrace::app {

// One thread (control); reading blocks a thread of its own. What was read last stays when it cannot be read.
class PublishedKeys {
public:
    // `changed`: other keys are published. `settled`: a reading has ended, or none will begin so soon after the last.
    PublishedKeys(boost::asio::io_context& control, const config::AuthSettings& settings, events::Observer& observer,
                  std::function<void()> changed, std::function<void()> settled);
    ~PublishedKeys();

    void start();  // nothing where nobody publishes any
    void stop();
    void wanted();  // a token names a key that is not among them
    [[nodiscard]] const std::string& jwks() const { return jwks_; }

private:
    void begin();
    void finished(Result<std::string> read);
    void wait(Duration pause);

    boost::asio::io_context& control_;
    boost::asio::thread_pool blocking_{1};
    boost::asio::steady_timer next_;
    std::string url_;
    Duration every_;
    events::Observer& observer_;
    std::function<void()> changed_, settled_;
    policy::Backoff backoff_;
    std::string jwks_;
    TimePoint wanted_{};  // when a token last had them read
    bool reading_ = false, stopped_ = false;
};

}  // namespace millrace::app
