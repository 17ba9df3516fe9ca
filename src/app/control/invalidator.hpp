// What Postgres says, passed on to every worker's fence.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "millrace/app/worker.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/events.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

using Workers = std::vector<std::unique_ptr<Worker>>;

// One thread (control).
class Invalidator {
public:
    // `reload` asks for the catalog to be read again.
    Invalidator(const Workers& workers, Duration lag_limit, events::Observer& observer,
                std::function<void(bool files_too)> reload);

    [[nodiscard]] pg::Notifications callbacks();

    // The catalog was read after the last listening(): which database it was read from is known, so the gap may end.
    void catalog_read(Epoch epoch);
    [[nodiscard]] bool fenced() const { return fenced_; }

private:
    void notified(std::string_view payload, std::string_view channel);
    void listening(std::string_view snapshot, TimePoint asked);
    void heartbeat(std::string_view snapshot, TimePoint asked);
    void lost(std::string_view reason);
    void distrust(std::string_view reason);  // until the next beat in time
    void set_fenced(bool fenced, std::string_view reason);

    const Workers& workers_;
    Duration lag_limit_;
    events::Observer& observer_;
    std::function<void(bool)> reload_;
    std::shared_ptr<const fence::PgSnapshot> since_;  // taken after LISTEN: the gap ends there
    TimePoint since_asked_;                           // just before it was taken
    TimePoint distrusted_at_;                         // a gap ends with a snapshot that was asked for later
    bool listening_ = false, fenced_ = false;
    Epoch epoch_;
};

}  // namespace millrace::app
