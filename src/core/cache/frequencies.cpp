// Counts how often keys are asked for in little memory: a little too often for some, never too seldom.
#include <algorithm>
#include <bit>
#include <limits>

#include "millrace/core/cache.hpp"

namespace millrace::cache {
namespace {

constexpr std::size_t columns_least = 1 << 10, columns_most = 1 << 20;
constexpr std::size_t adds_per_column = 10;  // between two halvings

}  // namespace

Store::Frequencies::Frequencies(std::size_t columns_min)
    : columns_(std::bit_ceil(std::clamp(columns_min, columns_least, columns_most))), counts_(rows * columns_) {}

std::size_t Store::Frequencies::place(std::uint64_t hash, std::size_t row) const {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // 2^64 / the golden ratio
    const std::uint64_t other = std::rotl(hash, static_cast<int>(16 * row)) * odd;  // of other bits in each row
    return row * columns_ + (other >> 32 & (columns_ - 1));
}

void Store::Frequencies::add(std::uint64_t hash, unsigned times) {
    constexpr unsigned most = std::numeric_limits<std::uint8_t>::max();
    for (std::size_t row = 0; row < rows; ++row) {
        std::uint8_t& count = counts_[place(hash, row)];
        count = static_cast<std::uint8_t>(std::min(most, count + times));
    }
    added_ += times;
    if (added_ < columns_ * adds_per_column) return;
    for (std::uint8_t& count : counts_) count /= 2;
    added_ = 0;
}

unsigned Store::Frequencies::of(std::uint64_t hash) const {
    unsigned least = std::numeric_limits<unsigned>::max();
    for (std::size_t row = 0; row < rows; ++row) least = std::min<unsigned>(least, counts_[place(hash, row)]);
    return least;
}

void Store::Frequencies::clear() {
    std::ranges::fill(counts_, std::uint8_t{0});
    added_ = 0;
}

}  // namespace millrace::cache
