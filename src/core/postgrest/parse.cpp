// Reads PostgREST's settings from where people keep them: a file of `name = value` lines, or variables PGRST_….
#include <algorithm>

#include "millrace/core/postgrest.hpp"
#include "millrace/core/text.hpp"

namespace millrace::postgrest {
namespace {

constexpr std::string_view prefix = "PGRST_", app_settings = "APP_SETTINGS_";

// What stands between quotes, with \" and \\ undone; nothing when the quote does not end the value.
std::optional<std::string> unquoted(std::string_view value) {
    std::string out;
    for (std::size_t i = 1; i < value.size(); ++i) {
        if (value[i] == '"') {
            const std::string_view rest = text::trim(value.substr(i + 1));
            return rest.empty() || rest.front() == '#' ? std::optional(out) : std::nullopt;
        }
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        out += value[i];
    }
    return std::nullopt;
}

std::optional<std::string> read_value(std::string_view value) {
    if (value.starts_with('"')) return unquoted(value);
    return std::string(text::trim(value.substr(0, value.find('#'))));
}

}  // namespace

Parsed parse_file(std::string_view text, const std::string& file) {
    Parsed parsed;
    int number = 0;
    for (std::string_view line : text::split(text, '\n')) {
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = text::trim(line);
        if (line.empty() || line.front() == '#') continue;
        const auto equals = line.find('=');
        const std::string_view name = text::trim(line.substr(0, equals));
        auto value = equals == std::string_view::npos ? std::nullopt : read_value(text::trim(line.substr(equals + 1)));
        if (name.empty() || !value) {
            parsed.problems.push_back({file, "line " + std::to_string(number), "is not of the form: name = value", {}});
            continue;
        }
        parsed.values[std::string(name)] = *std::move(value);
    }
    return parsed;
}

Values from_environment(const std::map<std::string, std::string>& environment) {
    Values values;
    for (const auto& [variable, value] : environment) {
        if (!variable.starts_with(prefix)) continue;
        std::string name = variable.substr(prefix.size());
        if (name.starts_with(app_settings)) {
            values["app.settings." + name.substr(app_settings.size())] = value;
            continue;
        }
        name = text::lower(name);
        std::ranges::replace(name, '_', '-');
        values[name] = value;
    }
    return values;
}

}  // namespace millrace::postgrest
