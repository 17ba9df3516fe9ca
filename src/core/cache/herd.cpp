// Decides what those who want the same answer at the same time do, so that one of them reads it.
#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {

Next after_asking(bool usable, bool leased, Duration waited, Duration wait_max) {
    if (usable) return Next::give;
    if (leased) return Next::fill;
    return waited < wait_max ? Next::ask_again : Next::fill_anyway;
}

Duration pause_before(unsigned ask) {
    constexpr Duration first = std::chrono::milliseconds(1), longest = std::chrono::milliseconds(25);
    constexpr unsigned doublings = 5;
    return std::min(first * (1U << std::min(ask, doublings)), longest);
}

void Unkept::add(std::string_view key, WallTime until) {
    const std::uint64_t hash = text::hash64(key);
    places_[hash % places_.size()] = {hash, until};
}

void Unkept::remove(std::string_view key) {
    const std::uint64_t hash = text::hash64(key);
    Place& place = places_[hash % places_.size()];
    if (place.hash == hash) place = {};
}

bool Unkept::holds(std::string_view key, WallTime now) const {
    const std::uint64_t hash = text::hash64(key);
    const Place& place = places_[hash % places_.size()];
    return place.hash == hash && now < place.until;
}

}  // namespace millrace::cache
