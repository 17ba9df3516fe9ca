// One row a setting: what the readers, the documentation and the schema are made from.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/core/config.hpp"

namespace millrace::config {

template <class T>
using Access = T& (*)(Settings&);
using Field =
    std::variant<Access<Listen>, Access<std::uint64_t>, Access<bool>, Access<std::string>, Access<std::vector<std::string>>>;

// Of a number its value, of a text its bytes, of a list its items.
struct Bounds {
    std::uint64_t least = 0, most = 0;
};

enum class Secrecy : std::uint8_t { open, url, whole };  // url: only the password in it is masked

struct Setting {
    std::string_view section;  // empty: top level
    std::string_view name;
    Field field;
    Bounds bounds;
    std::string_view unit;
    std::string_view help;
    Secrecy secrecy = Secrecy::open;
    std::span<const std::string_view> choices = {};  // of a text; empty: any

    [[nodiscard]] bool secret() const { return secrecy != Secrecy::open; }
};

struct Section {
    std::string_view name;
    std::string_view help;
};

[[nodiscard]] std::span<const Setting> settings_table();
[[nodiscard]] std::span<const Section> sections_table();
[[nodiscard]] const Setting* find_setting(std::string_view section, std::string_view name);

[[nodiscard]] std::string pointer(const Setting& setting);   // "/database/url"
[[nodiscard]] std::string variable(const Setting& setting);  // "MILLRACE_DATABASE_URL"
[[nodiscard]] std::string flag(const Setting& setting);      // "database-url"

}  // namespace millrace::config
