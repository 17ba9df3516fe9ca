// Reads the dates of a route table: a day, or a moment as RFC 3339 §5.6 writes it.
#include <charconv>
#include <chrono>

#include "reader.hpp"

namespace millrace::routes {
namespace {

// A number of exactly `digits` digits at the front of `s`, taken off it.
std::optional<int> take_number(std::string_view& s, std::size_t digits) {
    if (s.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (s[i] < '0' || s[i] > '9') return std::nullopt;
        value = value * 10 + (s[i] - '0');
    }
    s.remove_prefix(digits);
    return value;
}

bool take(std::string_view& s, char wanted) {
    if (!s.starts_with(wanted)) return false;
    s.remove_prefix(1);
    return true;
}

std::optional<WallTime> take_day(std::string_view& s) {
    const auto year = take_number(s, 4);
    if (!year || !take(s, '-')) return std::nullopt;
    const auto month = take_number(s, 2);
    if (!month || !take(s, '-')) return std::nullopt;
    const auto day = take_number(s, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

// "hh:mm" or "hh:mm:ss" as seconds.
std::optional<std::chrono::seconds> take_clock(std::string_view& s, bool with_seconds) {
    const auto hour = take_number(s, 2);
    if (!hour || *hour > 23 || !take(s, ':')) return std::nullopt;
    const auto minute = take_number(s, 2);
    if (!minute || *minute > 59) return std::nullopt;
    if (!with_seconds) return std::chrono::seconds(*hour * 3600 + *minute * 60);
    if (!take(s, ':')) return std::nullopt;
    const auto second = take_number(s, 2);
    if (!second || *second > 59) return std::nullopt;
    return std::chrono::seconds(*hour * 3600 + *minute * 60 + *second);
}

std::optional<std::chrono::seconds> take_offset(std::string_view& s) {
    if (take(s, 'Z')) return std::chrono::seconds(0);
    const bool behind = s.starts_with('-');
    if (!take(s, '+') && !take(s, '-')) return std::nullopt;
    const auto offset = take_clock(s, false);
    if (!offset) return std::nullopt;
    return behind ? -*offset : *offset;
}

}  // namespace

std::optional<WallTime> parse_date(std::string_view s) {
    const auto day = take_day(s);
    if (!day || s.empty()) return day;
    if (!take(s, 'T')) return std::nullopt;
    const auto clock = take_clock(s, true);
    if (!clock) return std::nullopt;
    const auto offset = take_offset(s);
    if (!offset || !s.empty()) return std::nullopt;
    return *day + *clock - *offset;
}

}  // namespace millrace::routes
