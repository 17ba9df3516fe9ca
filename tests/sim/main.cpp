// Runs seeds: all that were asked for without a fault, and each planted fault until it is noticed.
#include <chrono>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "faults.hpp"
#include "world.hpp"

namespace millrace::sim {
namespace {

constexpr std::uint64_t noticed_within = 10'000;

struct Options {
    std::uint64_t from = 1, seeds = 100'000;
    std::optional<std::uint64_t> seed;
    bool trace = false, faults = true;
    Fault fault = Fault::none;
};

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--from") options.from = number(value);
        if (name == "--seeds") options.seeds = number(value);
        if (name == "--seed") options.seed = number(value);
        if (name == "--fault") options.fault = static_cast<Fault>(number(value));
        if (name == "--trace") options.trace = true;
        if (name == "--no-faults") options.faults = false;
    }
    return options;
}

int run_one(const Options& options) {
    const std::string violated = World(*options.seed, options.fault, options.trace).run();
    std::cout << "seed " << *options.seed << ": " << (violated.empty() ? "all guarantees hold" : violated) << '\n';
    return violated.empty() ? 0 : 1;
}

bool run_all(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t fresh = 0, stale = 0, redis = 0, fills = 0, adopted = 0;
    const std::uint64_t end = options.from + options.seeds;
    for (std::uint64_t seed = options.from; seed < end; ++seed) {
        World world(seed, Fault::none, false);
        const std::string violated = world.run();
        if (!violated.empty()) {
            std::cout << "seed " << seed << ": " << violated << "\nsee it with --seed " << seed << " --trace\n";
            return false;
        }
        fresh += world.checker.fresh;
        stale += world.checker.stale;
        redis += world.checker.from_redis;
        fills += world.checker.fills;
        adopted += world.checker.adopted;
        if ((seed - options.from + 1) % 1'000'000 == 0) std::cout << "through seed " << seed << std::endl;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::cout << options.seeds << " seeds from " << options.from << " in " << seconds << " s ("
              << static_cast<double>(options.seeds) / seconds << "/s): " << fresh << " fresh hits, " << redis
              << " first found in Redis, " << stale << " stale, " << fills << " fills, " << adopted << " states adopted\n";
    return true;
}

bool notice_all() {
    bool all = true;
    for (const FaultName& planted : planted_faults) {
        std::uint64_t seed = 1;
        std::string violated;
        while (seed <= noticed_within && (violated = World(seed, planted.fault, false).run()).empty()) ++seed;
        if (violated.empty()) all = false;
        std::cout << planted.guarantee << "  " << planted.name << ": "
                  << (violated.empty() ? "NOT NOTICED" : "noticed by seed " + std::to_string(seed) + ", " + violated)
                  << std::endl;
    }
    return all;
}

}  // namespace
}  // namespace millrace::sim

int main(int argc, char** argv) {
    using namespace millrace::sim;
    const Options options = parse(argc, argv);
    if (options.seed) return run_one(options);
    const bool noticed = !options.faults || notice_all();
    return run_all(options) && noticed ? EXIT_SUCCESS : EXIT_FAILURE;
}
