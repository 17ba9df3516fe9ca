// Makes the compressed variants of entries beside the loop, each once.
#pragma once

#include <set>
#include <utility>

#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {

// One per worker, on its thread. The cache and the side thread must outlive it and what is underway.
class Compressor {
public:
    Compressor(TieredCache& cache, net::SideThread& side) : cache_(cache), side_(side) {}

    // What of this entry the client is to be sent: a variant, or nothing for the plain body. A variant that is missing is made,
    // for whoever comes after.
    [[nodiscard]] const cache::Variant* choose(const std::string& key, const EntryPointer& entry,
                                               const message::Request& request, const config::CacheSettings& settings);

private:
    struct Job;
    void make(const std::string& key, const EntryPointer& entry, coding::Coding coding, const config::CacheSettings& settings);
    void finish(const Job& job);

    TieredCache& cache_;
    net::SideThread& side_;
    std::set<std::pair<const std::string*, coding::Coding>> underway_;  // by the body; at most as many as the side thread takes
};

}  // namespace millrace::app
