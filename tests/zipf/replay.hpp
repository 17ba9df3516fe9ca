// A trace played through the real Store and Fence, as one worker would.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/core/cache.hpp"
#include "millrace/core/fence.hpp"
#include "trace.hpp"

namespace millrace::zipf {

struct ReplayOptions {
    std::size_t bytes_max = 0;
    bool by_table = false;    // every write invalidates all of the table
    bool open_write = false;  // a transaction that has written stays open throughout
    std::size_t warm_up = 0;  // operations that are not counted
    std::size_t beat_every = 1000;
};

struct Outcome {
    std::size_t reads = 0, hits = 0;
    [[nodiscard]] double ratio() const { return static_cast<double>(hits) / static_cast<double>(reads); }
};

[[nodiscard]] Outcome replay(std::span<const Operation> trace, const ReplayOptions& options);

// What a key's entry costs in the store, its share of the bookkeeping included.
[[nodiscard]] std::size_t bytes_of(std::uint32_t key);

}  // namespace millrace::zipf
