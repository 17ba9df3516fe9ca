// The fills underway in this worker, by key.
#pragma once

#include <string>
#include <unordered_map>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {

struct TieredCache::Flight {
    Flight(asio::io_context& context, std::string of) : key(std::move(of)), landed(context) {}
    std::string key;
    net::Signal landed;
    EntryPointer entry;  // what was filled; nothing when the filler failed
    bool done = false;
};

// As many as there are requests in flight at most.
struct TieredCache::Flights {
    explicit Flights(asio::io_context& io) : context(io) {}
    asio::io_context& context;
    std::unordered_map<std::string, std::shared_ptr<Flight>> by_key;
};

}  // namespace millrace::app
