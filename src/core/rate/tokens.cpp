// The script's rule without Redis.
#include <chrono>

#include "millrace/core/rate.hpp"

namespace millrace::rate {
namespace {

using namespace std::chrono;

std::int64_t micros(WallTime time) { return floor<microseconds>(time.time_since_epoch()).count(); }

std::int64_t window_end_us(Unit unit, WallTime now) {
    const auto today = floor<days>(now);
    if (unit == Unit::day) return micros(today + days(1));
    const year_month_day date(today);
    return micros(sys_days((date.year() / date.month() + months(1)) / day(1)));
}

}  // namespace

// Forgetting all at once gives everybody his burst again: that is what a process without Redis does when it starts, too.
Granted Tokens::take(const Rule& rule, const std::string& key, std::uint64_t wanted, std::uint64_t least, WallTime now) {
    if (states_.size() >= most_ && !states_.contains(key)) states_.clear();
    State& state = states_[key];
    const std::int64_t now_us = micros(now);
    if (rule.quota()) {
        if (state.arrival_us <= now_us) state = {window_end_us(rule.unit, now), 0};
        const std::uint64_t left = rule.burst - std::min(state.used, rule.burst);
        const auto reset = microseconds(state.arrival_us - now_us);
        if (left < least) return {0, left, reset};
        const std::uint64_t taken = std::min(wanted, left);
        state.used += taken;
        return {taken, left - taken, reset};
    }
    const std::int64_t interval = rule.interval_us(), burst = static_cast<std::int64_t>(rule.burst);
    const std::int64_t arrival = std::max(state.arrival_us, now_us), room = now_us + burst * interval - arrival;
    const std::uint64_t fit = static_cast<std::uint64_t>(std::max<std::int64_t>(room, 0) / interval);
    if (fit < least) return {0, fit, microseconds(static_cast<std::int64_t>(least) * interval - room)};
    const std::uint64_t taken = std::min(wanted, fit);
    state.arrival_us = arrival + static_cast<std::int64_t>(taken) * interval;
    return {taken, fit - taken, Duration::zero()};
}

}  // namespace millrace::rate
