// Decides whether what is heard is all there was, and from which snapshot on it is.
#include <algorithm>
#include <iterator>
#include <utility>

#include "millrace/core/feed.hpp"

namespace millrace::feed {

void Follower::subscribed() {
    subscribed_ = true;
    joined_ = term_known_ = false;
}

std::optional<std::string> Follower::lost(std::string_view reason) {
    subscribed_ = false;
    if (!std::exchange(joined_, false)) return std::nullopt;
    return std::string(reason);
}

std::optional<std::string> Follower::check(TimePoint now, Duration silence_max) {
    if (!joined_ || now - proved_ <= silence_max) return std::nullopt;
    joined_ = false;
    return "the announcer of invalidations is silent";
}

// An announcer that was succeeded may still say what it had read: all of that comes from its successor too.
Heard Follower::hear(std::string_view text, TimePoint now) {
    Heard heard;
    if (!subscribed_) return heard;
    auto bulletin = decode(text);
    if (!bulletin) {
        if (std::exchange(joined_, false)) heard.gap = "a bulletin could not be read";
        term_known_ = false;
        return heard;
    }
    if (term_known_ && (bulletin->term < term_ || (bulletin->term == term_ && bulletin->sequence < expected_))) return heard;
    if (joined_ && !continues(*bulletin)) {
        joined_ = false;
        heard.gap = bulletin->term == term_ ? "bulletins were missed" : "an announcer began where the last one had not ended";
    }
    position_ = joined_ ? std::max(position_, bulletin->position) : bulletin->position;
    term_known_ = true;
    term_ = bulletin->term;
    highest_term_ = std::max(highest_term_, term_);
    expected_ = bulletin->sequence + 1;
    life_ = bulletin->life;
    heard.payloads = std::move(bulletin->payloads);
    if (bulletin->beat) take_beat(*bulletin->beat, heard);
    if (heard.joined || heard.beat) proved_ = now;
    return heard;
}

// A successor that begins at or before the place that was reached says all that comes after it; only in the same life do
// places compare.
bool Follower::continues(const Bulletin& bulletin) const {
    if (bulletin.life != life_) return false;
    if (bulletin.term == term_) return bulletin.sequence == expected_;
    return bulletin.sequence == 0 && bulletin.from && *bulletin.from <= position_;
}

void Follower::take_beat(Beat& beat, Heard& heard) {
    heard.lag = beat.lag;
    if (joined_) {
        heard.beat = std::move(beat.snapshot);
        return;
    }
    if (!beat.joinable) return;
    joined_ = true;
    std::ranges::move(beat.unseen, std::back_inserter(heard.payloads));
    heard.joined = std::move(beat.snapshot);
}

}  // namespace millrace::feed
