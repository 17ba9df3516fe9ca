// Chance from a seed: the same on every machine (splitmix64, Steele et al., OOPSLA 2014).
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::sim {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
    std::size_t pick(std::size_t count) { return next() % count; }
    bool one_in(std::size_t count) { return pick(count) == 0; }
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(pick(static_cast<std::size_t>(most - least + 1)));
    }

private:
    std::uint64_t state_;
};

}  // namespace millrace::sim
