// The optimum for entries of different sizes is hard to find, bounds of it are not. Between two reads of a key without a write
// there is a hit to be had, for its bytes during that time.
//   foreseeing    PFOO-U (Berger, Beckmann, Harchol-Balter: "Practical bounds on optimal caching with variable object sizes",
//                 SIGMETRICS 2018): takes the cheapest hits until bytes × time is used up, as if the cache might be larger at
//                 one moment and smaller at another. With one size this is a little above Belady's algorithm.
//   unforeseeing  the keys with most hits for their bytes. Draws are independent, so the past of a trace says nothing of when a
//                 key comes next, only how often; who does not know the future cannot do better than to keep the popular ones.
#include "optimum.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace millrace::zipf {
namespace {

struct Chance {
    double cost = 0;  // bytes × operations
    std::uint32_t key = 0;
    bool counts = false;  // after the warm-up
};

std::vector<Chance> chances(std::span<const Operation> trace, std::span<const std::size_t> bytes_of_key, std::size_t warm_up) {
    constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> read_at(bytes_of_key.size(), never);
    std::vector<Chance> found;
    for (std::size_t i = 0; i < trace.size(); ++i) {
        const auto [key, writes] = trace[i];
        if (!writes && read_at[key] != never)
            found.push_back(
                {static_cast<double>(bytes_of_key[key]) * static_cast<double>(i - read_at[key]), key, i >= warm_up});
        read_at[key] = writes ? never : i;
    }
    return found;
}

std::size_t cheapest(std::vector<Chance> all, double budget) {
    std::ranges::sort(all, {}, &Chance::cost);
    std::size_t hits = 0;
    for (const Chance& chance : all) {
        if ((budget -= chance.cost) < 0) break;
        hits += chance.counts;
    }
    return hits;
}

std::size_t best_keys(const std::vector<Chance>& all, std::span<const std::size_t> bytes_of_key, std::size_t bytes_max) {
    std::vector<std::size_t> hits(bytes_of_key.size()), order(bytes_of_key.size());
    for (const Chance& chance : all) hits[chance.key] += chance.counts;
    std::iota(order.begin(), order.end(), 0);
    const auto worth = [&](std::size_t key) { return static_cast<double>(hits[key]) / static_cast<double>(bytes_of_key[key]); };
    std::ranges::sort(order, std::ranges::greater{}, worth);
    std::size_t bytes = 0, sum = 0;
    for (const std::size_t key : order) {
        if ((bytes += bytes_of_key[key]) > bytes_max) break;
        sum += hits[key];
    }
    return sum;
}

}  // namespace

Optimum optimum(std::span<const Operation> trace, std::span<const std::size_t> bytes_of_key, std::size_t bytes_max,
                std::size_t warm_up) {
    const auto all = chances(trace, bytes_of_key, warm_up);
    const auto counted = trace.subspan(warm_up);
    const auto reads = static_cast<double>(std::ranges::count(counted, false, &Operation::writes));
    const double budget = static_cast<double>(bytes_max) * static_cast<double>(trace.size());
    return {static_cast<double>(cheapest(all, budget)) / reads,
            static_cast<double>(best_keys(all, bytes_of_key, bytes_max)) / reads};
}

}  // namespace millrace::zipf
