// The listener and the decoded log, told as one source.
#pragma once

#include "millrace/core/feed.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One thread (control).
class Paired {
public:
    Paired(Duration age_max, pg::Notifications tell) : pair_(age_max), tell_(std::move(tell)) {}

    [[nodiscard]] pg::Notifications side(feed::Pair::Side side);

private:
    void listening(feed::Pair::Side side, std::string_view snapshot);
    void heartbeat(feed::Pair::Side side, std::string_view snapshot, TimePoint asked);
    void lost(feed::Pair::Side side, std::string_view reason);

    feed::Pair pair_;
    const pg::Notifications tell_;
};

}  // namespace millrace::app
