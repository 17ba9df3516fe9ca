// PostgREST's configuration as ours: what `millrace serve --postgrest` serves. PostgREST's reference, "Configuration".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/config.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::postgrest {

// Settings by PostgREST's names: {"db-uri", "postgresql://…"}.
using Values = std::map<std::string, std::string>;

struct Parsed {
    Values values;
    std::vector<config::Problem> problems;
};

// A configuration file: `name = value` lines, values bare or in double quotes, # comments.
[[nodiscard]] Parsed parse_file(std::string_view text, const std::string& file);

// PGRST_DB_URI → db-uri, PGRST_APP_SETTINGS_X → app.settings.X; other variables are left out.
[[nodiscard]] Values from_environment(const std::map<std::string, std::string>& environment);

struct Translated {
    config::Settings settings;
    std::vector<routes::RouteTable> tables;  // one a schema, all of version "v1", served at "/" too
    std::vector<std::string> warnings;       // a line for each setting without a meaning here, and each unknown one
    std::vector<config::Problem> problems;
    bool reads_database_settings = true;  // db-config: settings that the database keeps for the login role
    std::string pre_config;               // db-pre-config
};

// `read_file` is for values like "@/path" (db-uri, jwt-secret). Never throws.
[[nodiscard]] Translated translate(const Values& values, const config::ReadFile& read_file);

}  // namespace millrace::postgrest
