// HTTP's dates: the form that is sent and the three that must be understood (RFC 9110 §5.6.7).
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::message {
namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void append_number(std::string& out, unsigned value, int width) {
    std::array<char, 10> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const auto length = static_cast<int>(end - digits.data());
    out.append(static_cast<std::size_t>(std::max(0, width - length)), '0');
    out.append(digits.data(), end);
}

std::optional<unsigned> number(std::string_view s) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc{} || end != s.data() + s.size() || s.empty()) return std::nullopt;
    return value;
}

struct Parts {
    std::string_view day, month, year, time;
};

// Splits the three forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
std::optional<Parts> split_forms(std::string_view s) {
    if (const auto comma = s.find(", "); comma != std::string_view::npos) {
        if (!s.ends_with(" GMT")) return std::nullopt;
        std::string_view rest = s.substr(comma + 2, s.size() - comma - 6);
        if (comma == 3 && rest.size() == 20)
            return Parts{rest.substr(0, 2), rest.substr(3, 3), rest.substr(7, 4), rest.substr(12)};
        if (comma > 3 && rest.size() == 18)
            return Parts{rest.substr(0, 2), rest.substr(3, 3), rest.substr(7, 2), rest.substr(10)};
        return std::nullopt;
    }
    if (s.size() != 24) return std::nullopt;
    return Parts{text::trim(s.substr(8, 2)), s.substr(4, 3), s.substr(20, 4), s.substr(11, 8)};
}

// Two digits mean the century in which the date is at most 50 years ahead; the protocol's dates are of this era.
int full_year(unsigned year, bool two_digits) {
    if (!two_digits) return static_cast<int>(year);
    return static_cast<int>(year) + (year < 70 ? 2000 : 1900);
}

}  // namespace

std::string http_date(WallTime when) {
    const auto day = chrono::floor<chrono::days>(when);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss time{chrono::floor<chrono::seconds>(when - day)};
    std::string out;
    out.reserve(29);
    out += days[chrono::weekday{day}.c_encoding()];
    out += ", ";
    append_number(out, static_cast<unsigned>(date.day()), 2);
    out += ' ';
    out += months[static_cast<unsigned>(date.month()) - 1];
    out += ' ';
    append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += ' ';
    append_number(out, static_cast<unsigned>(time.hours().count()), 2);
    out += ':';
    append_number(out, static_cast<unsigned>(time.minutes().count()), 2);
    out += ':';
    append_number(out, static_cast<unsigned>(time.seconds().count()), 2);
    return out += " GMT";
}

std::optional<WallTime> parse_http_date(std::string_view s) {
    const auto parts = split_forms(s);
    if (!parts || parts->time.size() != 8 || parts->time[2] != ':' || parts->time[5] != ':') return std::nullopt;
    const auto month = std::ranges::find(months, parts->month);
    const auto day = number(parts->day), year = number(parts->year);
    const auto hour = number(parts->time.substr(0, 2)), minute = number(parts->time.substr(3, 2)),
               second = number(parts->time.substr(6, 2));
    if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const chrono::year_month_day date{chrono::year{full_year(*year, parts->year.size() == 2)},
                                      chrono::month{static_cast<unsigned>(month - months.begin()) + 1}, chrono::day{*day}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return chrono::sys_days{date} + chrono::hours{*hour} + chrono::minutes{*minute} + chrono::seconds{*second};
}

}  // namespace millrace::message
