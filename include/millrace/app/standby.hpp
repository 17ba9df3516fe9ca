// Reads that a standby may answer: it is asked, and its answer counts only if it is no older than what this worker has heard
// of.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One per worker and on its thread only.
class Standby {
public:
    // Without a URL there is none, and it is never asked.
    Standby(asio::io_context& context, const config::Settings& settings, events::Observer& observer);
    ~Standby();
    void start();
    [[nodiscard]] asio::awaitable<void> stop();

    // All of it is the caller's until the answer is there.
    struct Read {
        const pipeline::Work& work;  // of the primary, with its twin
        std::span<const std::string> values;
        std::size_t kept_bytes_max;
        std::optional<fence::Xid> token;  // a write that the caller must see
        pg::Call call;
    };
    // The results of the twin's script; nothing when the primary must be asked. At most half of the time that is left goes by.
    [[nodiscard]] asio::awaitable<std::optional<pg::Opened>> ask(const Read& read, const TieredCache& cache,
                                                                 pg::Timing& timing);

private:
    class Observed;
    [[nodiscard]] bool worth_asking(const Read& read, const TieredCache& cache) const;
    [[nodiscard]] asio::awaitable<Result<pg::Opened>> whole(sql::BoundScript script, const pg::Call& call, pg::Timing& timing);
    [[nodiscard]] events::StandbyResult judge(const Read& read, const TieredCache& cache, const Result<pg::Opened>& opened);

    events::Observer& observer_;
    std::unique_ptr<Observed> observed_;
    std::unique_ptr<pg::Pool> pool_;
    fence::PgSnapshot seen_;     // the newest that it answered with
    TimePoint refused_until_{};  // until then it is asked only for what it is known to have seen
};

}  // namespace millrace::app
