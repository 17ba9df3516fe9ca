// Reads that a standby may answer: one is asked, and its answer counts only if it is no older than what this worker has heard
// of.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// The standbys that a URL names, each with lanes and a breaker of its own. One of these per worker and on its thread only.
class Standby {
public:
    // Without a URL there are none, and nobody is asked.
    Standby(asio::io_context& context, const config::Settings& settings, events::Observer& observer);
    ~Standby();
    void start();
    [[nodiscard]] asio::awaitable<void> stop();
    void catch_up();  // takes the results that have come, before the loop says so

    // All of it is the caller's until the answer is there.
    struct Read {
        const pipeline::Work& work;  // of the primary, with its twin
        std::span<const std::string> values;
        std::size_t kept_bytes_max;
        std::optional<fence::Xid> token;  // a write that the caller must see
        pg::Call call;
    };
    // The results of the twin's script; nothing when the primary must be asked. Each that is well is tried, at best one: those
    // with the fewest reads underway first. Each takes at most half of the time that is left.
    [[nodiscard]] asio::awaitable<std::optional<pg::Opened>> ask(const Read& read, const TieredCache& cache,
                                                                 pg::Timing& timing);

private:
    class Observed;
    struct One;
    [[nodiscard]] std::vector<One*> choose(const Read& read, const TieredCache& cache);
    // An error: the next one, or the primary, must be asked.
    [[nodiscard]] asio::awaitable<Result<pg::Opened>> ask(One& one, const Read& read, const TieredCache& cache,
                                                          pg::Timing& timing);

    events::Observer& observer_;
    std::size_t up_ = 0;    // how many are connected
    std::size_t turn_ = 0;  // whose it is among equals
    std::vector<std::unique_ptr<One>> all_;
};

}  // namespace millrace::app
