// Follows the latency of statements: a little more at once while they are as quick as ever, much less when they are not.
#include <algorithm>
#include <chrono>

#include "millrace/core/congestion.hpp"

namespace millrace::congestion {
namespace {

using namespace std::chrono_literals;

constexpr Duration window = 100ms;  // after which it is judged anew
constexpr std::size_t window_least = 10;
constexpr Duration span = 30s;  // what was quickest longer ago than two of these is forgotten: data grows
constexpr std::size_t shapes_max = 4'096;
constexpr double slow_from = 3.0;  // times as long as at best
constexpr double decrease = 0.8;
constexpr double increase = 0.1;                // of the limit, and at least one
constexpr double used_from = 0.8;               // a limit that nobody reaches says nothing
constexpr double worth_keeping = 0.9;           // of the rate
constexpr int rest_first = 5, rest_most = 300;  // windows

}  // namespace

void ConcurrencyLimit::finished(std::uint64_t shape, Duration took, std::size_t underway, TimePoint now) {
    if (count_ == 0) window_began_ = now;
    took_ += took;
    slowness_ +=
        static_cast<double>(took.count()) / static_cast<double>(std::max<Duration::rep>(least(shape, took, now).count(), 1));
    most_underway_ = std::max(most_underway_, underway);
    ++count_;
    if (count_ >= window_least && now - window_began_ >= window) adjust(now);
}

// Statements are slow because too many are underway, or for another reason: only in the first case as many are done with fewer
// underway. So each decrease is a trial; one that costs throughput is taken back, and there is none for a while.
void ConcurrencyLimit::adjust(TimePoint now) {
    const double count = static_cast<double>(count_);
    const double rate = count / std::chrono::duration<double>(now - window_began_).count();
    const bool slow = slowness_ / count > slow_from && took_ / count_ > bounds_.harmless;
    const bool used = static_cast<double>(most_underway_) >= static_cast<double>(limit()) * used_from;
    if (trial_ && rate < trial_->rate * worth_keeping) {
        limit_ = trial_->limit;
        resting_ = rest_ = std::min(rest_ * 2, rest_most);
        trial_.reset();
    } else if (slow && used && resting_ == 0) {
        trial_ = Trial{limit_, rate};
        limit_ *= decrease;
    } else {
        if (trial_) rest_ = rest_first;
        trial_.reset();
        if (resting_ > 0) --resting_;
        if (!slow && used) limit_ += std::max(1.0, limit_ * increase);
    }
    limit_ = std::clamp(limit_, static_cast<double>(bounds_.least), static_cast<double>(bounds_.most));
    took_ = {};
    slowness_ = 0;
    count_ = most_underway_ = 0;
}

Duration ConcurrencyLimit::least(std::uint64_t shape, Duration took, TimePoint now) {
    if (now - span_began_ >= span || present_.size() >= shapes_max) {
        last_ = std::move(present_);
        present_.clear();
        span_began_ = now;
    }
    auto& known = present_.try_emplace(shape, took).first->second;
    known = std::min(known, took);
    const auto before = last_.find(shape);
    return before == last_.end() ? known : std::min(known, before->second);
}

}  // namespace millrace::congestion
