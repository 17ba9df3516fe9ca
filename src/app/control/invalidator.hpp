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

    // The catalog was read after the last listening() and after whatever asked for it, and is served: which database it was
    // read from is known, and entries' tags are made of what it says, so the gap may end.
    void catalog_read(Epoch epoch, std::string_view snapshot);
    void catalog_refused();                           // the one that was read does not fit the route tables: an older is served
    void catalog_failed() { reading_ = false; }       // nothing could be read; a beat asks again
    void catalog_changed(std::string_view snapshot);  // without notice; the snapshot sees the change
    [[nodiscard]] bool fenced() const { return fenced_; }

private:
    void notified(std::string_view payload, std::string_view channel);
    void listening(std::string_view snapshot);
    void heartbeat(std::string_view snapshot, Duration lag);
    void lost(std::string_view reason);
    void distrust(std::string_view reason);  // until the next beat in time
    void reread(bool files_too);
    void advance(const fence::PgSnapshot& snapshot);
    void set_fenced(bool fenced, std::string_view reason);

    const Workers& workers_;
    Duration lag_limit_;
    events::Observer& observer_;
    std::function<void(bool)> reload_;
    std::shared_ptr<const fence::PgSnapshot> since_;  // all that it sees was heard, or came before: a gap ends there
    bool listening_ = false, fenced_ = false, refused_ = false, late_ = false;
    bool reading_ = false;  // a reading was asked for and has not ended: another one would only put off its outcome
    Epoch epoch_;
};

}  // namespace millrace::app
