// Judges verified claims: times, audience and role. PostgREST, "JWT Claims Validation" and "JWT Role Extraction".
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "failure.hpp"
#include "find_claim.hpp"
#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"
#include "role_path.hpp"

namespace millrace::auth {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t skew_s = 30;
constexpr std::int64_t last_second = 9'000'000'000;  // year 2255: what is later, a WallTime cannot tell from never

// A claim that is there and not null.
const Json* claim(const Json& claims, const char* name) {
    const auto at = claims.find(name);
    return at == claims.end() || at->is_null() ? nullptr : &*at;
}

std::int64_t seconds_of(const Json& number) {
    const double value = std::floor(number.get<double>());
    return static_cast<std::int64_t>(std::clamp(value, -static_cast<double>(last_second), static_cast<double>(last_second)));
}

std::int64_t seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count(); }

Error not_a_number(std::string_view name) {
    return refused(Fault::bad_jwt_claims, "The JWT '" + std::string(name) + "' claim must be a number");
}

struct Times {
    WallTime not_before = WallTime::min(), expires = WallTime::max();

    void begin_at(std::int64_t second) {
        if (second > -last_second) not_before = std::max(not_before, WallTime(std::chrono::seconds(second - skew_s)));
    }
};

Result<Times> check_times(const Json& claims, std::int64_t now) {
    Times times;
    if (const Json* exp = claim(claims, "exp")) {
        if (!exp->is_number()) return not_a_number("exp");
        const std::int64_t until = seconds_of(*exp);
        if (now - skew_s > until) return refused(Fault::bad_jwt_claims, "JWT expired");
        if (until < last_second) times.expires = WallTime(std::chrono::seconds(until + skew_s));
    }
    if (const Json* nbf = claim(claims, "nbf")) {
        if (!nbf->is_number()) return not_a_number("nbf");
        if (now + skew_s < seconds_of(*nbf)) return refused(Fault::bad_jwt_claims, "JWT not yet valid");
        times.begin_at(seconds_of(*nbf));
    }
    if (const Json* iat = claim(claims, "iat")) {
        if (!iat->is_number()) return not_a_number("iat");
        if (now + skew_s < seconds_of(*iat)) return refused(Fault::bad_jwt_claims, "JWT issued at future");
        times.begin_at(seconds_of(*iat));
    }
    return times;
}

Result<void> check_audience(const Json& claims, const std::string& audience) {
    const Json* aud = claim(claims, "aud");
    if (aud == nullptr) return {};
    const auto is_text = [](const Json& value) { return value.is_string(); };
    const auto is_meant = [&](const Json& value) { return audience.empty() || value == audience; };
    bool meant = false;
    if (aud->is_string()) {
        meant = is_meant(*aud);
    } else if (aud->is_array() && std::ranges::all_of(*aud, is_text)) {
        meant = aud->empty() || std::ranges::any_of(*aud, is_meant);
    } else {
        return refused(Fault::bad_jwt_claims, "The JWT 'aud' claim must be a string or an array of strings");
    }
    if (!meant) return refused(Fault::bad_jwt_claims, "JWT not in audience");
    return {};
}

Result<std::string> role_of(const Json& claims, std::string_view path_text) {
    const auto path = read_role_path(path_text);
    if (!path) return Error::of(Fault::internal, "The path of the role claim is not valid");
    const Json* role = follow(claims, *path);
    if (role == nullptr || role->is_null()) return std::string{};
    if (role->is_string()) return role->get<std::string>();
    return refused(Fault::bad_jwt_claims, "The JWT role claim must be a string");
}

// A text as it stands; nothing for what is none.
std::string text_of(const Json& claims, const std::string& name) {
    const Json* value = name.empty() ? nullptr : find_claim(claims, name);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// A text with spaces between them (RFC 8693 §4.2), or a list of texts.
std::string scopes_of(const Json& claims, const std::string& name) {
    const Json* value = find_claim(claims, name);
    if (value == nullptr) return {};
    if (value->is_string()) return " " + value->get<std::string>() + " ";
    std::string scopes = " ";
    if (value->is_array())
        for (const Json& scope : *value)
            if (scope.is_string()) scopes += scope.get<std::string>() + " ";
    return scopes;
}

}  // namespace

bool valid_role_claim(std::string_view path) { return read_role_path(path).has_value(); }

Result<Identity> check_claims(std::string payload, const config::AuthSettings& settings, WallTime now) {
    const Json claims = Json::parse(payload, nullptr, false);
    if (!claims.is_object() || payload.find('\0') != std::string::npos)
        return refused(Fault::bad_jwt_claims, "Parsing claims failed");
    auto times = check_times(claims, seconds_of(now));
    if (!times) return std::move(times).error();
    if (auto meant = check_audience(claims, settings.jwt_audience); !meant) return std::move(meant).error();
    auto role = role_of(claims, settings.jwt_role_claim);
    if (!role) return std::move(role).error();
    Identity identity;
    identity.role = *std::move(role);
    identity.claims_json = std::move(payload);
    identity.authenticated = true;
    identity.subject = text_of(claims, "sub");
    identity.scopes = scopes_of(claims, settings.scope_claim);
    identity.plan = text_of(claims, settings.plan_claim);
    identity.not_before = times->not_before;
    identity.expires = times->expires;
    return identity;
}

}  // namespace millrace::auth
