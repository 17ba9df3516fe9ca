// Draws a trace from a seed: the same one on every machine.
#include "trace.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace millrace::zipf {
namespace {

// The sums of popularities up to each rank, the last one 1.
std::vector<double> popularity_sums(const TraceOptions& options) {
    std::vector<double> sums(options.keys);
    double sum = 0;
    for (std::size_t rank = 0; rank < sums.size(); ++rank)
        sums[rank] = sum += std::pow(static_cast<double>(rank + 1), -options.exponent);
    for (double& s : sums) s /= sum;
    return sums;
}

}  // namespace

std::vector<Operation> make_trace(const TraceOptions& options) {
    std::mt19937_64 random(options.seed);
    const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };  // distributions differ by library
    const auto sums = popularity_sums(options);
    std::vector<std::uint32_t> key_of(options.keys);
    for (std::size_t rank = 0; rank < key_of.size(); ++rank) {
        key_of[rank] = static_cast<std::uint32_t>(rank);
        std::swap(key_of[rank], key_of[random() % (rank + 1)]);
    }
    std::vector<Operation> trace(options.operations);
    for (Operation& operation : trace) {
        operation.writes = unit() < options.writes;
        const auto rank = std::ranges::lower_bound(sums, unit()) - sums.begin();
        operation.key = key_of[std::min<std::size_t>(static_cast<std::size_t>(rank), options.keys - 1)];
    }
    return trace;
}

}  // namespace millrace::zipf
