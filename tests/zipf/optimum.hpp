// What the best cache could have made of a trace, computed afterwards, with all of it known.
#pragma once

#include <cstddef>
#include <span>

#include "trace.hpp"

namespace millrace::zipf {

struct Optimum {
    double foreseeing = 0;    // no cache of this size can do better, not even one that knows the future (an upper bound)
    double unforeseeing = 0;  // keeps the best set of keys from the first to the last operation
};

// Both know sizes and invalidations: what is written before it is read again is worth nothing to them.
[[nodiscard]] Optimum optimum(std::span<const Operation> trace, std::span<const std::size_t> bytes_of_key,
                              std::size_t bytes_max, std::size_t warm_up);

}  // namespace millrace::zipf
