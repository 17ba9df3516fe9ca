// Reads the configuration, its route tables and its keys: everything a process knows before it asks Postgres.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "files.hpp"
#include "millrace/core/rate.hpp"
#include "millrace/core/text.hpp"
#include "millrace/core/url.hpp"
#include "millrace/io/pg.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::app {
namespace {

constexpr std::uintmax_t file_bytes_max = 1024 * 1024;

void append(std::vector<config::Problem>& to, std::vector<config::Problem> from) {
    std::ranges::move(from, std::back_inserter(to));
}

void read_tables(const Source& source, Files& files) {
    for (const std::string& named : files.settings.routes) {
        const std::string file = beside(source.file, named);
        const auto text = read_file(file);
        if (!text) {
            files.problems.push_back({source.file, "/routes", "cannot read the route table " + file, {}});
            continue;
        }
        files.fingerprint = text::hash64(*text, files.fingerprint);
        routes::ParsedTable parsed = routes::parse_route_table(*text, file);
        append(files.problems, std::move(parsed.problems));
        files.tables.push_back(std::move(parsed.table));
    }
}

// Tables of one version are its profiles, and those differ by their schema.
void refuse_twins(Files& files) {
    for (std::size_t i = 0; i < files.tables.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const routes::RouteTable &table = files.tables[i], &before = files.tables[j];
            if (table.version != before.version || table.schema != before.schema) continue;
            files.problems.push_back(
                {table.file,
                 "/version",
                 "version \"" + table.version + "\" of schema \"" + table.schema + "\" is already in " + before.file,
                 {}});
        }
}

}  // namespace

std::string beside(const std::string& file, const std::string& named) {
    const std::filesystem::path path(named);
    if (path.is_absolute()) return named;
    return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

void read_keys(const Source& source, Files& files) {
    const config::AuthSettings& settings = files.settings.auth;
    for (std::size_t i = 0; i < settings.jwt_algorithms.size(); ++i)
        if (!auth::valid_algorithm(settings.jwt_algorithms[i]))
            files.problems.push_back(
                {source.file, "/auth/jwt_algorithms/" + std::to_string(i), "is no algorithm of tokens", {}});
    if (!settings.jwks_url.empty() && !url::parse(settings.jwks_url))
        files.problems.push_back({source.file, "/auth/jwks_url", "is no URL that can be fetched", {}});
    auto keys = auth::Keys::read(settings.jwt_secret, settings.jwt_secret_is_base64, {}, settings.jwt_algorithms);
    if (keys) {
        files.keys = std::move(*keys);
    } else {
        files.problems.push_back({source.file, "/auth/jwt_secret", keys.error().message, {}});
    }
}

void check_limits(const Source& source, Files& files) {
    const config::LimitSettings& limits = files.settings.limits;
    const auto check = [&](const std::vector<std::string>& texts, const char* setting, auto parse) {
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (auto parsed = parse(texts[i]); !parsed)
                files.problems.push_back({source.file, setting + std::to_string(i), parsed.error().message, {}});
    };
    check(limits.rules, "/limits/rules/", rate::parse_rule);
    check(limits.plans, "/limits/plans/", rate::parse_plan_rule);
}

// A cache that nobody can reach would only be noticed by its absence.
void check_redis(const Source& source, Files& files) {
    if (files.settings.redis.url.empty()) return;
    const auto address = redis::address_of(files.settings.redis);
    if (!address) files.problems.push_back({source.file, "/redis", address.error().message, {}});
}

std::optional<std::string> read_file(const std::string& path) {
    std::error_code error;
    if (std::filesystem::file_size(path, error) > file_bytes_max || error) return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

Files read_files(const Source& source) {
    if (source.postgrest) return read_postgrest_files(source);
    Files files;
    const auto text = read_file(source.file);
    // Without it the environment and the flags still count: `millrace health` needs no file.
    config::Loaded loaded = config::load(text.value_or(""), source.file, source.environment, read_file, source.flags);
    files.settings = std::move(loaded.settings);
    files.problems = std::move(loaded.problems);
    if (!text) {
        files.problems.push_back({source.file, "", "cannot read the configuration file", {}});
        return files;
    }
    if (files.settings.routes.empty())
        files.problems.push_back({source.file, "/routes", "at least one route table is needed", {}});
    read_tables(source, files);
    refuse_twins(files);
    read_keys(source, files);
    check_redis(source, files);
    read_certificates(source, files);
    read_authorities(files);
    check_limits(source, files);
    return files;
}

// What routes depend on need not be of a schema that is served.
static std::vector<std::string> dependencies_of(const std::vector<routes::RouteTable>& tables) {
    std::vector<std::string> names;
    const auto add = [&](const routes::Policies& policies) {
        if (!policies.cache) return;
        for (const std::string& name : policies.cache->depends_on)
            if (name.find('.') != std::string::npos) names.push_back(name);
    };
    for (const routes::RouteTable& table : tables) {
        for (const auto& [name, rule] : table.resources) add(rule.policies);
        for (const auto& [name, rule] : table.functions) add(rule.policies);
    }
    return names;
}

Result<std::shared_ptr<const catalog::Catalog>> read_catalog(const Files& files) {
    const config::Settings& settings = files.settings;
    const auto watched_by =
        settings.cache.invalidation_source == "decoding" ? pg::WatchedBy::publication : pg::WatchedBy::triggers;
    return pg::introspect(settings.database.url, schemas_of(files.tables), settings.database.anonymous_role,
                          settings.api.extra_search_path, dependencies_of(files.tables), watched_by);
}

std::vector<std::string> schemas_of(const std::vector<routes::RouteTable>& tables) {
    std::vector<std::string> schemas;
    for (const routes::RouteTable& table : tables) {
        schemas.push_back(table.schema);
        for (const auto& [name, rule] : table.resources)
            if (const auto dot = rule.relation.find('.'); dot != std::string::npos)
                schemas.push_back(rule.relation.substr(0, dot));
    }
    std::ranges::sort(schemas);
    schemas.erase(std::unique(schemas.begin(), schemas.end()), schemas.end());
    return schemas;
}

}  // namespace millrace::app
