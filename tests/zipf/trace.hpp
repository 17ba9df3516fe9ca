// Requests as a popular table gets them: keys drawn by Zipf's law, and now and then a write to one of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::zipf {

struct Operation {
    std::uint32_t key = 0;
    bool writes = false;
};

struct TraceOptions {
    std::size_t keys = 100'000, operations = 1'000'000;
    double exponent = 0.99, writes = 0.05;
    std::uint64_t seed = 1;
};

// Reads and writes draw their keys alike; the most popular ones are spread over the numbers.
[[nodiscard]] std::vector<Operation> make_trace(const TraceOptions& options);

}  // namespace millrace::zipf
