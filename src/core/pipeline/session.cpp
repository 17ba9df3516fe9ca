// The settings of a request's transaction: role, claims, headers, method and path, for policies, triggers and functions.
#include "session.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "millrace/core/congestion.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

void append_member(std::string& out, std::string_view name, std::string_view value) {
    if (out.size() > 1) out += ',';
    text::append_json_string(out, name);
    out += ':';
    text::append_json_string(out, value);
}

// {"host":"…","accept":"…"}; names in lower case. Cookies have a setting of their own.
std::string headers_json(const message::Request& request) {
    std::string out = "{";
    for (const message::Header& header : request.headers)
        if (!text::iequals(header.name, "cookie")) append_member(out, text::lower(header.name), header.value);
    return out += '}';
}

// RFC 6265 §4.2.1: "a=b; c=d".
std::string cookies_json(const message::Request& request) {
    std::string out = "{";
    for (const std::string_view pair : text::split(request.header("Cookie"), ';')) {
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos)
            append_member(out, text::trim(pair.substr(0, equals)), text::trim(pair.substr(equals + 1)));
    }
    return out += '}';
}

// The claims always name the role: that of the token's claim, or the anonymous one.
std::string claims_json(const auth::Identity& identity, const std::string& role) {
    auto claims = nlohmann::json::parse(identity.claims_json, nullptr, false);
    if (!claims.is_object()) claims = nlohmann::json::object();
    const auto named = claims.find("role");
    if (named != claims.end() && *named == role) return identity.claims_json;
    claims["role"] = role;
    return claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string search_path(const routes::ApiCatalog& api, const config::ApiSettings& settings) {
    std::string out = text::quote_identifier(api.table().schema);
    for (const std::string& schema : settings.extra_search_path) out += ", " + text::quote_identifier(schema);
    return out;
}

const Settings* settings_of_role(const Snapshot& snapshot, const std::string& role) {
    const auto& all = snapshot.catalog->role_settings;
    const auto found = std::ranges::find(all, role, &catalog::RoleSettings::role);
    return found == all.end() || found->settings.empty() ? nullptr : &found->settings;
}

// Postgres takes a role's default for its sessions, not for those of who becomes it.
std::string isolation_of(const Settings& settings) {
    const auto found = std::ranges::find(settings, "default_transaction_isolation", &Settings::value_type::first);
    return found == settings.end() ? std::string() : text::lower(found->second);
}

std::optional<catalog::RoutineName> pre_request(const config::ApiSettings& settings) {
    if (settings.pre_request.empty()) return std::nullopt;
    const auto dot = settings.pre_request.find('.');
    if (dot == std::string::npos) return catalog::RoutineName{"", settings.pre_request};
    return catalog::RoutineName{settings.pre_request.substr(0, dot), settings.pre_request.substr(dot + 1)};
}

bool rolls_back(const config::ApiSettings& settings, const request::Preferences& preferences) {
    const bool by_default = settings.transaction_end.starts_with("rollback");
    if (!may_override_end(settings) || !preferences.commit) return by_default;
    return !*preferences.commit;
}

void add_request(Settings& out, const message::Request& request) {
    out.emplace_back("request.method", message::name(request.method));
    out.emplace_back("request.path", request.path);
    out.emplace_back("request.headers", headers_json(request));
    out.emplace_back("request.cookies", cookies_json(request));
}

// Postgres need not work on what nobody waits for any more. Lanes have a limit for statements already; this is for what must
// end sooner. A role that has a limit of its own keeps that.
std::optional<std::string> statement_timeout(const Caller& caller, const Settings* of_role) {
    const config::Settings& settings = caller.snapshot.settings;
    const auto is_timeout = [](const auto& setting) { return setting.first == "statement_timeout"; };
    if (of_role != nullptr && std::ranges::any_of(*of_role, is_timeout)) return std::nullopt;
    std::uint64_t most = settings.database.statement_timeout_ms;
    if (most == 0) most = settings.limits.deadline_ms;
    std::uint64_t wanted = caller.timeout_ms > 0 ? caller.timeout_ms : most;
    if (const auto patience = congestion::patience_of(caller.request)) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*patience).count();
        wanted = std::min(wanted, static_cast<std::uint64_t>(ms));
    }
    if (wanted >= most) return std::nullopt;
    return std::to_string(wanted);
}

void add_app_settings(Settings& out, const config::ApiSettings& settings) {
    for (const std::string& setting : settings.app_settings) {
        const auto equals = setting.find('=');
        if (equals != std::string::npos) out.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    }
}

}  // namespace

bool may_override_end(const config::ApiSettings& settings) { return settings.transaction_end.ends_with("-allow-override"); }

sql::Session session_of(const Caller& caller, const request::ApiRequest& api, const plan::Needs& needs) {
    const config::ApiSettings& settings = caller.snapshot.settings.api;
    const auth::Identity& identity = caller.identity;
    const std::string& role = identity.role.empty() ? caller.snapshot.settings.database.anonymous_role : identity.role;
    const Settings* of_role = settings_of_role(caller.snapshot, role);
    sql::Session session;
    session.pre_request = pre_request(settings);
    const auto timeout = statement_timeout(caller, of_role);
    const bool needed = identity.authenticated || needs.session || needs.search_path || needs.writes || session.pre_request ||
                        of_role != nullptr || timeout || !api.preferences.timezone.empty();
    if (!needed) return session;
    session.before_role.emplace_back("search_path", search_path(caller.api, settings));
    if (of_role != nullptr) session.before_role.insert(session.before_role.end(), of_role->begin(), of_role->end());
    if (of_role != nullptr) session.isolation = isolation_of(*of_role);
    session.role = identity.role;
    session.settings.emplace_back("request.jwt.claims", claims_json(identity, role));
    add_request(session.settings, caller.request);
    if (!api.preferences.timezone.empty()) session.settings.emplace_back("timezone", api.preferences.timezone);
    if (timeout) session.settings.emplace_back("statement_timeout", *timeout);
    add_app_settings(session.settings, settings);
    session.reads_only = !needs.writes && needs.may_change && !session.pre_request;
    session.reports = session.pre_request.has_value();
    session.reports_early = session.reports && !needs.writes && !needs.may_change;
    session.rolls_back = rolls_back(settings, api.preferences) && (needs.writes || needs.may_change || session.pre_request);
    return session;
}

}  // namespace millrace::pipeline
