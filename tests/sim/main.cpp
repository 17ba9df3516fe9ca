// Runs seeds: each planted fault until it is noticed, then as many without a fault as were asked for.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "faults.hpp"
#include "world.hpp"

namespace millrace::sim {
namespace {

constexpr std::uint64_t noticed_within = 10'000, progress_every = 10'000;

struct Options {
    std::uint64_t from = 1, seeds = 100'000;
    std::optional<std::uint64_t> seed;  // this one alone
    std::size_t fault = 0;              // with this fault planted: its place in the list, from 1 on
    std::string progress;               // a file that says how far an earlier run came
    bool trace = false, faults = true;
};

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::optional<Options> parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--trace" || name == "--no-faults") {
            (name == "--trace" ? options.trace : options.faults) = name == "--trace";
            continue;
        }
        const std::string_view value = i + 1 < argc ? argv[++i] : "";
        if (value.empty()) return std::nullopt;
        if (name == "--from")
            options.from = number(value);
        else if (name == "--seeds")
            options.seeds = number(value);
        else if (name == "--seed")
            options.seed = number(value);
        else if (name == "--fault")
            options.fault = number(value);
        else if (name == "--progress")
            options.progress = value;
        else
            return std::nullopt;
    }
    return options;
}

bool run_one(const Options& options) {
    const bool planted = options.fault > 0 && options.fault <= planted_faults.size();
    World world(*options.seed, planted ? planted_faults[options.fault - 1].fault : Fault::none, options.trace);
    const std::string violated = world.run();
    std::cout << "seed " << *options.seed << ": " << (violated.empty() ? "all guarantees hold" : violated) << '\n';
    return violated.empty();
}

std::uint64_t first_seed(const Options& options) {
    std::uint64_t done = 0;
    if (std::ifstream file(options.progress); file >> done) return std::max(options.from, done + 1);
    return options.from;
}

void note_progress(const Options& options, std::uint64_t seed) {
    if (!options.progress.empty()) std::ofstream(options.progress) << seed << '\n';
}

bool run_all(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t first = first_seed(options), end = options.from + options.seeds;
    Counts sum;
    for (std::uint64_t seed = first; seed < end; ++seed) {
        World world(seed, Fault::none, false);
        if (const std::string violated = world.run(); !violated.empty()) {
            std::cout << "seed " << seed << ": " << violated << "\nsee it with --seed " << seed << " --trace\n";
            return false;
        }
        sum += world.checker.counts;
        if (seed % progress_every == 0 || seed + 1 == end) note_progress(options, seed);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const std::uint64_t ran = end > first ? end - first : 0;
    std::cout << ran << " seeds from " << first << " in " << seconds << " s, " << static_cast<double>(ran) / seconds
              << "/s: " << sum.fresh << " fresh hits, " << sum.from_redis << " first found in Redis, " << sum.stale
              << " stale, " << sum.fills << " fills, " << sum.adopted << " states adopted\n";
    return true;
}

bool notice_all() {
    bool all = true;
    for (const FaultName& planted : planted_faults) {
        std::uint64_t seed = 1;
        std::string violated;
        while (seed <= noticed_within && (violated = World(seed, planted.fault, false).run()).empty()) ++seed;
        if (violated.empty()) all = false;
        std::cout << planted.guarantee << ", " << planted.name << ": "
                  << (violated.empty() ? "NOT NOTICED" : "seed " + std::to_string(seed) + ", " + violated) << std::endl;
    }
    return all;
}

}  // namespace
}  // namespace millrace::sim

int main(int argc, char** argv) {
    using namespace millrace::sim;
    const auto options = parse(argc, argv);
    if (!options) {
        std::cerr << "sim [--from N] [--seeds N] [--progress FILE] [--no-faults] | --seed N [--fault N] [--trace]\n";
        return 2;
    }
    if (options->seed) return run_one(*options) ? EXIT_SUCCESS : EXIT_FAILURE;
    const bool noticed = !options->faults || notice_all();
    return run_all(*options) && noticed ? EXIT_SUCCESS : EXIT_FAILURE;
}
