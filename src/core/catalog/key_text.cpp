// Which spelling of a key's value is the one that Postgres writes.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "millrace/core/catalog.hpp"
#include "millrace/core/text.hpp"

namespace millrace::catalog {
namespace {

enum TypeOid : std::uint32_t {
    boolean = 16,
    int8 = 20,
    int2 = 21,
    int4 = 23,
    text = 25,
    varchar = 1043,
    date = 1082,
    uuid = 2950
};

bool is_uuid(std::string_view value) {
    if (value.size() != 36) return false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool hex = (value[i] >= '0' && value[i] <= '9') || (value[i] >= 'a' && value[i] <= 'f');
        if (dash ? value[i] != '-' : !hex) return false;
    }
    return true;
}

bool is_integer(std::string_view value) {
    const auto number = text::to_int(value);
    return number && std::to_string(*number) == value;
}

// "2026-11-26" as date_send() gives it, which no setting changes: days since 2000, as hex.
std::optional<std::string> days_of(std::string_view value) {
    using namespace std::chrono;
    if (value.size() != 10 || value[4] != '-' || value[7] != '-') return std::nullopt;
    const auto digits = [&](std::size_t at, std::size_t count) -> int {
        int number = 0;
        for (const char c : value.substr(at, count)) {
            if (c < '0' || c > '9') return -1;
            number = 10 * number + (c - '0');
        }
        return number;
    };
    const int y = digits(0, 4), m = digits(5, 2), d = digits(8, 2);
    if (y < 1 || m < 1 || d < 1) return std::nullopt;
    const year_month_day day{year{y}, month{static_cast<unsigned>(m)}, std::chrono::day{static_cast<unsigned>(d)}};
    if (!day.ok()) return std::nullopt;
    const auto days = (sys_days(day) - sys_days(year{2000} / January / 1)).count();
    auto bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(days));
    std::string hex(8, '0');
    for (auto digit = hex.rbegin(); digit != hex.rend(); ++digit, bits >>= 4) *digit = "0123456789abcdef"[bits & 15];
    return hex;
}

std::optional<std::string> when(bool canonical, std::string_view value) {
    return canonical ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

std::optional<std::string> key_text(const Column& column, std::string_view value) {
    if (column.represented || column.type_oid != column.base_type_oid) return std::nullopt;
    if (!column.enum_values.empty())
        return when(std::ranges::find(column.enum_values, value) != column.enum_values.end(), value);
    switch (column.type_oid) {
        case TypeOid::int2:
        case TypeOid::int4:
        case TypeOid::int8:
            return when(is_integer(value), value);
        case TypeOid::uuid:
            return when(is_uuid(value), value);
        case TypeOid::boolean:
            return when(value == "true" || value == "false", value);
        case TypeOid::date:
            return days_of(value);
        case TypeOid::text:
        case TypeOid::varchar:
            return std::string(value);
        default:
            return std::nullopt;
    }
}

}  // namespace millrace::catalog
