// Prints docs/configuration.md: one table a section.
#include "value.hpp"

namespace millrace::config {
namespace {

constexpr std::string_view preamble = R"(# Configuration

<!-- Printed from the table of settings; a test compares it. -->

millrace reads one JSON file (comments are allowed), `config/millrace.json` by default or the one that `--config` or
`MILLRACE_CONFIG` names. Each setting can also be given by an environment variable or a flag; what comes later wins:

**default < file < environment < flag**

- In the file: `{"database": {"fast_lanes": 2}}`. Editors complete it from `config/millrace.schema.json`.
- In the environment: `MILLRACE_DATABASE_FAST_LANES=2`. A list is separated by commas: `MILLRACE_ROUTES=a.json,b.json`.
  `true`, `on`, `1` and `false`, `off`, `0` are the two values of a switch.
- As a flag: `--database-fast-lanes 2`.
- A secret can also stand in a file of its own: key `url_file` (relative to the configuration file), variable
  `MILLRACE_DATABASE_URL_FILE`, flag `--database-url-file`. One newline at its end is taken off.

An unknown key, variable or flag, a wrong type and a value out of bounds are each refused with one line, and the process
ends with code 2; on a reload the settings stay as they were. `millrace check` finds the same without serving.
)";

std::string code(const std::string& text) { return "`" + text + "`"; }

std::string shown_default(const Setting& setting) {
    Settings defaults;
    const auto value = value_of(setting, defaults);
    if (value.is_string()) return value.get_ref<const std::string&>().empty() ? "" : code(value.get<std::string>());
    return code(value.dump());
}

std::string shown_bounds(const Setting& setting) {
    if (!setting.choices.empty()) {
        std::string names;
        for (std::string_view choice : setting.choices) names += (names.empty() ? "" : ", ") + code(std::string(choice));
        return names;
    }
    if (std::holds_alternative<Access<bool>>(setting.field)) return "`true`, `false`";
    if (setting.bounds.most == 0) return "";
    const bool is_text = std::holds_alternative<Access<std::string>>(setting.field);
    const std::string unit(is_text ? "bytes" : setting.unit);
    return std::to_string(setting.bounds.least) + " … " + std::to_string(setting.bounds.most) +
           (unit.empty() ? "" : " " + unit);
}

std::string row(const Setting& setting) {
    std::string help(setting.help);
    if (setting.secret()) help += " (secret)";
    return "| " + code(std::string(setting.name)) + " | " + code(variable(setting)) + " | " + shown_default(setting) + " | " +
           shown_bounds(setting) + " | " + help + " |\n";
}

}  // namespace

std::string documentation() {
    std::string out(preamble);
    for (const Section& section : sections_table()) {
        out += "\n## " + (section.name.empty() ? "Top level" : code(std::string(section.name))) + "\n\n";
        out.append(section.help).append("\n\n| name | variable | default | bounds | what it is |\n|---|---|---|---|---|\n");
        for (const Setting& setting : settings_table())
            if (setting.section == section.name) out += row(setting);
    }
    return out;
}

}  // namespace millrace::config
