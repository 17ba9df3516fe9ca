// Each setting of PostgREST becomes one of ours, or a line that says why it does not.
#include <algorithm>
#include <array>

#include "millrace/core/postgrest.hpp"
#include "millrace/core/text.hpp"

namespace millrace::postgrest {
namespace {

constexpr std::uint64_t pool_default = 10;

std::vector<std::string> list_of(const std::string& value) {
    std::vector<std::string> out;
    for (const std::string_view item : text::split(value, ','))
        if (!text::trim(item).empty()) out.emplace_back(text::trim(item));
    return out;
}

// One run over the values: what it takes is known, the rest is named at the end.
class Translator {
public:
    Translator(const Values& values, const config::ReadFile& read_file) : left_(values), read_file_(read_file) {}

    Translated run() && {
        database();
        transactions();
        identity();
        api();
        listeners();
        meaningless();
        for (const auto& [name, value] : left_) {
            if (!name.starts_with("app.settings."))
                warn(name, "is no setting that is known");
            else
                out_.settings.api.app_settings.push_back(name + "=" + value);
        }
        return std::move(out_);
    }

private:
    std::optional<std::string> take(std::initializer_list<const char*> names) {
        std::optional<std::string> found;
        for (const char* name : names) {
            const auto at = left_.find(name);
            if (at == left_.end()) continue;
            if (!found) found = at->second;
            left_.erase(at);
        }
        return found;
    }
    std::optional<std::string> take_filled(std::initializer_list<const char*> names) {
        auto value = take(names);
        return value && value->empty() ? std::nullopt : value;
    }

    void problem(const char* name, std::string message) {
        out_.problems.push_back({"PostgREST settings", name, std::move(message), {}});
    }
    void warn(const std::string& name, const std::string& why) { out_.warnings.push_back(name + " " + why); }

    void set(std::string& to, std::initializer_list<const char*> names) {
        if (auto value = take_filled(names)) to = *std::move(value);
    }
    void set(std::vector<std::string>& to, std::initializer_list<const char*> names) {
        if (const auto value = take(names)) to = list_of(*value);
    }
    void set(bool& to, std::initializer_list<const char*> names) {
        const auto value = take_filled(names);
        if (!value) return;
        const std::string word = text::lower(*value);
        const auto number = text::to_int(word);
        if (word == "true" || word == "false" || number)
            to = word == "true" || (number && *number > 0);
        else
            problem(*names.begin(), "must be true or false");
    }
    void set(std::uint64_t& to, std::initializer_list<const char*> names, std::uint64_t unit = 1) {
        const auto value = take_filled(names);
        if (!value) return;
        const auto number = text::to_int(*value);
        if (number && *number >= 0)
            to = static_cast<std::uint64_t>(*number) * unit;
        else
            problem(*names.begin(), "must be a whole number");
    }
    void choose(std::string& to, std::initializer_list<const char*> names, std::initializer_list<std::string_view> choices) {
        const auto value = take_filled(names);
        if (!value) return;
        if (std::ranges::find(choices, *value) != choices.end())
            to = *value;
        else
            problem(*names.begin(), "has an unknown value");
    }

    // "@/path": the file's content, without the newline at its end.
    void set_secret(std::string& to, const char* name) {
        set(to, {name});
        if (!to.starts_with('@')) return;
        auto content = read_file_(to.substr(1));
        if (!content) return problem(name, "cannot read the file " + to.substr(1));
        if (content->ends_with('\n')) content->pop_back();
        to = *std::move(content);
    }

    void database() {
        config::DatabaseSettings& database = out_.settings.database;
        database.url = "postgresql://";
        set_secret(database.url, "db-uri");
        set(database.anonymous_role, {"db-anon-role"});
        out_.settings.auth.anonymous = !database.anonymous_role.empty();
        set(database.rows_max, {"db-max-rows", "max-rows"});
        database.slow_lanes = pool_default;
        set(database.slow_lanes, {"db-pool"});
        database.slow_lanes = std::clamp<std::uint64_t>(database.slow_lanes, 1, 256);
        std::vector<std::string> schemas{"public"};
        if (const auto named = take_filled({"db-schemas", "db-schema"})) schemas = list_of(*named);
        for (const std::string& schema : schemas) {
            if (schema == "pg_catalog" || schema == "information_schema")
                problem("db-schemas", "does not allow schema: '" + schema + "'");
            routes::RouteTable table;
            table.file = "PostgREST settings";
            table.version = "v1";
            table.schema = schema;
            table.at_root = true;
            table.expose_schema = true;
            out_.tables.push_back(std::move(table));
        }
        set(out_.reads_database_settings, {"db-config"});
        set(out_.pre_config, {"db-pre-config"});
    }

    void transactions() {
        config::ApiSettings& api = out_.settings.api;
        set(api.extra_search_path, {"db-extra-search-path"});
        set(api.hoisted_settings, {"db-hoisted-tx-settings"});
        set(api.pre_request, {"db-pre-request", "pre-request"});
        choose(api.transaction_end, {"db-tx-end"}, {"commit", "commit-allow-override", "rollback", "rollback-allow-override"});
    }

    void identity() {
        config::AuthSettings& auth = out_.settings.auth;
        set_secret(auth.jwt_secret, "jwt-secret");
        set(auth.jwt_secret_is_base64, {"jwt-secret-is-base64", "secret-is-base64"});
        set(auth.jwt_audience, {"jwt-aud"});
        set(auth.jwt_role_claim, {"jwt-role-claim-key", "role-claim-key"});
        set(auth.jwt_cache_entries, {"jwt-cache-max-entries"});
    }

    void api() {
        config::ApiSettings& api = out_.settings.api;
        set(api.aggregates, {"db-aggregates-enabled"});
        set(api.plan, {"db-plan-enabled"});
        set(api.legacy_target_names, {"url-use-legacy-target-names"});
        choose(api.openapi_mode, {"openapi-mode"}, {"follow-privileges", "ignore-privileges", "disabled"});
        set(api.openapi_security, {"openapi-security-active"});
        set(api.openapi_server_url, {"openapi-server-proxy-uri"});
        set(api.root_function, {"db-root-spec", "root-spec"});
        set(api.cors_origins, {"server-cors-allowed-origins"});
        set(api.server_timing, {"server-timing-enabled"});
        set(api.trace_header, {"server-trace-header"});
        choose(api.error_verbosity, {"client-error-verbosity"}, {"verbose", "minimal"});
    }

    // "!4", "*4" and their like name families of addresses, not an address.
    static std::string address_of(const std::string& host) {
        if (host == "!6" || host == "*6") return "::";
        return host.starts_with('!') || host.starts_with('*') ? "0.0.0.0" : host;
    }

    void listeners() {
        std::uint64_t port = 3000, admin_port = 0;
        const std::string host = take_filled({"server-host"}).value_or("!4");
        set(port, {"server-port"});
        out_.settings.listen = {address_of(host), static_cast<std::uint16_t>(port)};
        const std::string admin_host = take_filled({"admin-server-host"}).value_or("127.0.0.1");
        set(admin_port, {"admin-server-port"});
        out_.settings.admin = {address_of(admin_host), static_cast<std::uint16_t>(admin_port)};
        const std::string level = take_filled({"log-level"}).value_or("error");
        out_.settings.log.level = level == "crit" ? "error" : level;
        out_.settings.log.access = level == "info" || level == "debug";
        if (port > 65'535 || admin_port > 65'535) problem("server-port", "must be at most 65535");
    }

    void meaningless() {
        constexpr std::array rows = {
            std::pair{"db-channel", "has no meaning here: NOTIFY millrace, 'reload schema' reloads the catalog"},
            std::pair{"db-channel-enabled", "has no meaning here: the channel is always listened to"},
            std::pair{"db-prepared-statements", "has no meaning here: statements are always prepared"},
            std::pair{"db-pool-acquisition-timeout", "has no meaning here: limits.deadline_ms bounds the whole request"},
            std::pair{"db-pool-max-lifetime", "has no meaning here: lanes live until they break"},
            std::pair{"db-pool-max-idletime", "has no meaning here: lanes live until they break"},
            std::pair{"db-pool-timeout", "has no meaning here: lanes live until they break"},
            std::pair{"db-pool-automatic-recovery", "has no meaning here: lanes always reconnect"},
            std::pair{"log-query", "has no meaning here: see Postgres' log_statement"},
            std::pair{"server-reuseport", "has no meaning here: each worker has a listener of its own"},
            std::pair{"server-unix-socket", "has no meaning here: the server listens on TCP"},
            std::pair{"server-unix-socket-mode", "has no meaning here: the server listens on TCP"},
            std::pair{"admin-server-unix-socket", "has no meaning here: the admin listener is on TCP"},
            std::pair{"admin-server-unix-socket-mode", "has no meaning here: the admin listener is on TCP"},
        };
        // What says what is the case anyway is no reason to warn.
        constexpr std::array as_is = {std::pair{"db-prepared-statements", "true"}, std::pair{"db-channel-enabled", "true"},
                                      std::pair{"db-pool-automatic-recovery", "true"}};
        for (const auto& [name, why] : rows) {
            const auto value = take_filled({name});
            const bool same = value && std::ranges::any_of(as_is, [&, n = std::string_view(name)](const auto& row) {
                                  return n == row.first && text::lower(*value) == row.second;
                              });
            if (value && !same) warn(name, why);
        }
    }

    Values left_;
    const config::ReadFile& read_file_;
    Translated out_;
};

}  // namespace

Translated translate(const Values& values, const config::ReadFile& read_file) { return Translator(values, read_file).run(); }

}  // namespace millrace::postgrest
