// How good the cache is at what it is for: 100,000 rows read by key as Zipf's law has it (s = 0.99), 5 % of the operations
// write one of them, and a tenth of the data fits. Everything is drawn from a seed: the figures are the same each time.
#include <gtest/gtest.h>

#include <iostream>

#include "optimum.hpp"
#include "replay.hpp"

namespace millrace::zipf {
namespace {

struct Zipf : testing::Test {
    static void SetUpTestSuite() {
        trace = make_trace(options);
        sizes.clear();
        std::size_t all = 0;
        for (std::uint32_t key = 0; key < options.keys; ++key) all += sizes.emplace_back(bytes_of(key));
        play.bytes_max = all / 10;
        play.warm_up = trace.size() / 4;
        best = optimum(trace, sizes, play.bytes_max, play.warm_up);
        by_key = replay(trace, play).ratio();
        std::cout << "hit ratio " << by_key << ", best set of keys " << best.unforeseeing << ", bound for who knows the future "
                  << best.foreseeing << '\n';
    }

    static inline const TraceOptions options;
    static inline std::vector<Operation> trace;
    static inline std::vector<std::size_t> sizes;
    static inline ReplayOptions play;
    static inline Optimum best;
    static inline double by_key = 0;
};

TEST_F(Zipf, hits_are_within_3_points_of_the_best_that_can_be_had_without_knowing_the_future) {
    EXPECT_GT(by_key, best.unforeseeing - 0.03);
    EXPECT_LT(by_key, best.foreseeing) << "then the bound is none";
}

TEST_F(Zipf, invalidation_by_key_is_15_points_above_that_by_table) {
    ReplayOptions by_table = play;
    by_table.by_table = true;
    const double ratio = replay(trace, by_table).ratio();
    std::cout << "by table " << ratio << '\n';
    EXPECT_GT(by_key, ratio + 0.15);
}

TEST_F(Zipf, a_write_transaction_that_stays_open_costs_less_than_3_points) {
    ReplayOptions held = play;
    held.open_write = true;
    const double ratio = replay(trace, held).ratio();
    std::cout << "with an open transaction " << ratio << '\n';
    EXPECT_GT(ratio, by_key - 0.03);
}

}  // namespace
}  // namespace millrace::zipf
