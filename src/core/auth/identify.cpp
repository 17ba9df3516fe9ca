// The Authorization header of a request becomes an Identity.
#include "failure.hpp"
#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"

namespace millrace::auth {
namespace {

// The token after "Bearer" in any case (RFC 9110 §11.1); nothing for other schemes, which mean nothing here.
std::optional<std::string_view> bearer_token(std::string_view header) {
    const auto blank = header.find_first_of(" \t");
    if (!text::iequals(header.substr(0, blank), "bearer")) return std::nullopt;
    return blank == std::string_view::npos ? std::string_view{} : text::trim(header.substr(blank));
}

Identity anonymous() {
    Identity identity;
    identity.claims_json = "{}";
    return identity;
}

}  // namespace

Result<Identity> identify(const message::Request& request, const Keys& keys, const config::AuthSettings& settings,
                          WallTime now) {
    const auto token = bearer_token(request.header("Authorization"));
    if (!token) return settings.anonymous ? Result<Identity>(anonymous()) : anonymous_refused();
    if (keys.empty()) return Error::of(Fault::no_jwt_secret);
    auto payload = keys.verify(*token);
    if (!payload) return std::move(payload).error();
    auto identity = check_claims(*std::move(payload), settings, now);
    if (identity && identity->role.empty() && !settings.anonymous) return anonymous_refused();
    return identity;
}

Error anonymous_refused() { return Error::of(Fault::anonymous_disabled).with_header("WWW-Authenticate", "Bearer"); }

}  // namespace millrace::auth
