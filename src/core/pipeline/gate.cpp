// Decides who may use a route, and what those are told who may not.
#include <algorithm>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using routes::Access;

bool has_scopes(const auth::Identity& identity, const std::vector<std::string>& scopes) {
    return std::ranges::all_of(scopes, [&](const std::string& scope) { return identity.has_scope(scope); });
}

// RFC 6750 §3.1: who sent nothing is told no error code. Which scopes a route asks for is not said: it would tell what is
// there.
Error asks_for_token() { return Error::of(Fault::auth_required).with_header("WWW-Authenticate", "Bearer"); }
Error asks_for_scopes() {
    return Error::of(Fault::insufficient_scope).with_header("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
}

Result<void> admit(const auth::Identity& identity, Access access, const std::vector<std::string>& scopes,
                   const config::AuthSettings& settings) {
    if (access == Access::standard && identity.role.empty() && !settings.anonymous) return auth::anonymous_refused();
    if (access == Access::identified && !identity.authenticated) return asks_for_token();
    if (!has_scopes(identity, scopes)) return asks_for_scopes();
    return {};
}

}  // namespace

Result<void> admit(const auth::Identity& identity, const routes::ResolvedPolicies& policies,
                   const config::AuthSettings& settings) {
    return admit(identity, policies.access, policies.scopes, settings);
}

Result<void> admit_to_version(const auth::Identity& identity, const routes::ApiCatalog& api,
                              const config::AuthSettings& settings) {
    const routes::Policies& defaults = api.table().defaults;
    static const std::vector<std::string> none;
    return admit(identity, defaults.access.value_or(Access::standard), defaults.scopes ? *defaults.scopes : none, settings);
}

Result<void> admit_to_unknown(const auth::Identity& identity, const routes::ApiCatalog& api,
                              const config::AuthSettings& settings) {
    auto admitted = admit_to_version(identity, api, settings);
    const auto look = [&](const auto& routes) {
        for (const auto& route : routes) {
            if (!admitted) return;
            admitted = admit(identity, route->policies, settings);
        }
    };
    look(api.resources());
    look(api.functions());
    look(api.upstreams());
    return admitted;
}

Error unfound(Error why, const auth::Identity& identity, const Snapshot& snapshot, std::string_view path) {
    if (why.fault != Fault::no_relation && why.fault != Fault::no_such_version) return why;
    const config::AuthSettings& settings = snapshot.settings.auth;
    if (why.fault == Fault::no_such_version && identity.role.empty() && !settings.anonymous) return auth::anonymous_refused();
    for (const auto& api : snapshot.versions) {
        const std::string prefix = "/" + api->version() + "/";
        if (!api->table().at_root && !path.starts_with(prefix)) continue;
        if (auto admitted = admit_to_unknown(identity, *api, settings); !admitted) return std::move(admitted).error();
    }
    return why;
}

}  // namespace millrace::pipeline
