// Decides whether an answer may be kept, under which key, and what must change for it to be wrong.
#include "cache_plan.hpp"

#include "entry_tags.hpp"
#include "exposure.hpp"
#include "marks.hpp"

namespace millrace::pipeline {
namespace {

// The function before a request may refuse it, or change anything else of its transaction; a handler may look at more of the
// request than the key tells; and a plan is of its moment.
bool is_of_its_own(const Work& work) {
    const representation::Representation& wanted = work.shape.representation;
    return !work.snapshot->settings.api.pre_request.empty() || wanted.handled || wanted.form.explain;
}

// What else of the request decides the bytes: the window that a Range header asked for, the count, the timezone, and what
// Preference-Applied says.
std::string window_and_preferences(const Work& work, const request::Preferences& preferences) {
    std::string out = std::to_string(work.shape.window.offset) + "-" + std::to_string(work.shape.window.limit.value_or(-1)) +
                      "/" + std::to_string(static_cast<int>(work.shape.count)) + "/" + preferences.timezone;
    for (const std::string& applied : work.shape.applied) (out += ',') += applied;
    return out;
}

// A caller with a token and one without are told different things of caching, though they have one role.
std::string identity_part(const auth::Identity& identity, const routes::CachePolicy& policy) {
    std::string claims = identity.authenticated ? "token " : "";
    if (policy.vary_claims) claims += auth::claim_values(identity.claims_json, *policy.vary_claims);
    return claims;
}

std::string make_key(const Work& work, const Asked& asked, std::string_view canonical_query) {
    const std::string base = asked.match.base();  // KeyParts only looks at them
    // An answer that was negotiated says so.
    const std::string schema = asked.match.api->table().schema + (asked.match.negotiated ? "!" : "");
    const std::string range = window_and_preferences(work, asked.api.preferences);
    const std::string claims = identity_part(asked.identity, work.policies().cache);
    cache::KeyParts parts;
    parts.version = base;
    parts.schema = schema;
    parts.resource = work.function == nullptr ? work.resource->name : work.function->route;
    parts.query = canonical_query;
    parts.media = work.shape.representation.name;
    parts.range = range;
    parts.role = asked.identity.role;
    parts.claims = claims;
    parts.deployment = work.snapshot->fingerprint;
    return cache::make_key(parts);
}

}  // namespace

std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const Asked& asked) {
    const routes::ResolvedPolicies& policies = work.policies();
    if (!work.safe || work.script.writes || policies.cache.ttl_s == 0 || is_of_its_own(work)) return std::nullopt;
    if (!may_keep(exposure_of(plan, *work.snapshot), policies, asked.identity.authenticated)) return std::nullopt;
    std::string canonical_query = asked.api.canonical_query;
    auto order = take_order(canonical_query, asked.values);
    if (!order) return std::nullopt;
    CachePlan out{make_key(work, asked, canonical_query), std::move(*order), {}, policies.cache};
    add_tags(out, plan, work, asked.values);
    return out;
}

}  // namespace millrace::pipeline
