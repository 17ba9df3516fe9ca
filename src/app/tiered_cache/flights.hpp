// The reads underway in this process, by key, and who waits for them.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {

// One that waits on its own loop. Only its loop touches what follows the signal.
struct TieredCache::Waiter {
    explicit Waiter(asio::io_context& io) : context(io), landed(io) {}
    asio::io_context& context;
    net::Signal landed;
    EntryPointer entry;  // what was read; nothing when there is none
    bool done = false;
};

struct TieredCache::Flight {
    std::string key;                               // of the table
    std::vector<std::shared_ptr<Waiter>> waiters;  // under the table's mutex
};

// As many as there are requests in flight at most.
struct FillTable::State {
    std::mutex mutex;
    std::unordered_map<std::string_view, std::shared_ptr<TieredCache::Flight>, text::Hash> by_key;  // views into the flights
};

}  // namespace millrace::app
