// PostgREST's settings as a process's files: from its file and environment, then from the database, then what we say ourselves.
#include "files.hpp"
#include "millrace/core/postgrest.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

std::uint64_t fingerprint_of(const postgrest::Values& values) {
    std::uint64_t hash = 0;
    for (const auto& [name, value] : values) hash = text::hash64(value, text::hash64(name, hash));
    return hash;
}

postgrest::Values written(const Source& source, Files& files) {
    postgrest::Values values;
    if (!source.file.empty()) {
        const auto text = read_file(source.file);
        if (!text) {
            files.problems.push_back({source.file, "", "cannot read the configuration file", {}});
            return values;
        }
        auto parsed = postgrest::parse_file(*text, source.file);
        values = std::move(parsed.values);
        files.problems = std::move(parsed.problems);
    }
    for (auto& [name, value] : postgrest::from_environment(source.postgrest_environment)) values[name] = value;
    return values;
}

// What the database keeps for the login role counts more than what is written (PostgREST, "In-Database Configuration"). Without
// an answer the rest has to do: the database may come later.
void add_database_settings(const postgrest::Translated& translated, postgrest::Values& values, Files& files) {
    if (!translated.reads_database_settings || !translated.problems.empty()) return;
    auto settings = pg::read_login_settings(translated.settings.database.url, "pgrst.", translated.pre_config);
    if (!settings) {
        files.warnings.push_back("db-config could not be read: " + settings.error().message);
        return;
    }
    for (const auto& [name, value] : *settings) {
        std::string dashed = name;
        for (char& c : dashed)
            if (c == '_') c = '-';
        values[dashed] = value;
    }
}

}  // namespace

Files read_postgrest_files(const Source& source) {
    Files files;
    postgrest::Values values = written(source, files);
    if (!files.problems.empty()) return files;
    add_database_settings(postgrest::translate(values, read_file), values, files);
    postgrest::Translated translated = postgrest::translate(values, read_file);
    files.fingerprint = fingerprint_of(values);
    files.tables = std::move(translated.tables);
    files.problems = std::move(translated.problems);
    for (std::string& warning : translated.warnings) files.warnings.push_back(std::move(warning));
    config::Loaded loaded = config::load({}, {}, source.environment, read_file, source.flags, std::move(translated.settings));
    files.settings = std::move(loaded.settings);
    for (config::Problem& problem : loaded.problems) files.problems.push_back(std::move(problem));
    read_keys(source, files);
    check_redis(source, files);
    read_certificates(source, files);
    return files;
}

}  // namespace millrace::app
