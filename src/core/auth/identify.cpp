// The Authorization header of a request becomes an Identity.
#include "bearer.hpp"
#include "failure.hpp"
#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"

namespace millrace::auth {

std::optional<std::string_view> bearer_token(std::string_view header) {
    const auto blank = header.find_first_of(" \t");
    if (!text::iequals(header.substr(0, blank), "bearer")) return std::nullopt;
    return blank == std::string_view::npos ? std::string_view{} : text::trim(header.substr(blank));
}

Result<Identity> judge(std::string_view token, const Keys& keys, const config::AuthSettings& settings, WallTime now) {
    if (keys.empty()) return Error::of(Fault::no_jwt_secret);
    auto payload = keys.verify(token);
    if (!payload) return std::move(payload).error();
    return check_claims(*std::move(payload), settings, now);
}

// It is nobody's to count: workers would have to share the count.
IdentityPointer unnamed() {
    static const Identity identity{.role = {}, .claims_json = "{}"};
    return {IdentityPointer(), &identity};
}

Result<Identity> identify(const message::Request& request, const Keys& keys, const config::AuthSettings& settings,
                          WallTime now) {
    const auto token = bearer_token(request.header("Authorization"));
    if (!token) return *unnamed();
    return judge(*token, keys, settings, now);
}

bool Identity::has_scope(std::string_view scope) const {
    if (scope.empty()) return false;
    for (auto at = scopes.find(scope); at != std::string::npos; at = scopes.find(scope, at + 1))
        if (at > 0 && scopes[at - 1] == ' ' && scopes[at + scope.size()] == ' ') return true;
    return false;
}

Error anonymous_refused() { return Error::of(Fault::anonymous_disabled).with_header("WWW-Authenticate", "Bearer"); }

}  // namespace millrace::auth
