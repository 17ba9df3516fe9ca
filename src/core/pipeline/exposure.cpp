// Finds out what an answer depends on besides its tags, and holds it against what the route's owner has declared.
#include "exposure.hpp"

#include <algorithm>

namespace millrace::pipeline {
namespace {

using catalog::Volatility;

// Nobody sees into a function: unless it is immutable it may read any table, the claims and the clock.
void add(Exposure& out, std::optional<Volatility> function) {
    if (function.value_or(Volatility::immutable) == Volatility::immutable) return;
    out.untagged = out.by_function = true;
}

void add(Exposure& out, const catalog::Relation& relation, bool sees_refreshes) {
    const bool told = relation.watched && !relation.is_volatile && (sees_refreshes || !relation.reads_materialized);
    out.untagged = out.untagged || !told;
    out.by_identity = out.by_identity || relation.row_security || relation.reads_session;
    out.by_request = out.by_request || relation.reads_request;
}

}  // namespace

Exposure exposure_of(const plan::Plan& plan, const Snapshot& snapshot) {
    const catalog::Catalog& catalog = *snapshot.catalog;
    const bool sees_refreshes = catalog.ddl_watched || snapshot.settings.cache.catalog_poll_ms > 0;
    Exposure out;
    if (const auto* read = std::get_if<plan::Read>(&plan)) add(out, plan::most_volatile_function(read->root));
    const auto* call = std::get_if<plan::Call>(&plan);
    if (call != nullptr) {
        out.untagged = true;  // whatever it says of itself: a function is kept where its owner says so
        out.changing = call->function->volatility == Volatility::is_volatile;
        add(out, call->function->volatility);
        add(out, plan::most_volatile_function(call->rows));
    }
    for (const catalog::Relation* relation : plan::relations_behind(plan, catalog)) {
        const bool only_a_type = call != nullptr && relation == call->rows.resource->relation;
        if (!only_a_type) add(out, *relation, sees_refreshes);
    }
    return out;
}

// Without a word of the owner a function is trusted with those who have no token alone: they have no claims.
bool may_keep(const Exposure& exposure, const routes::ResolvedPolicies& policies, bool authenticated) {
    if (exposure.changing || exposure.by_request) return false;
    if (exposure.untagged && !policies.declares_dependencies()) return false;
    return policies.cache.vary_claims || (!exposure.by_identity && !(exposure.by_function && authenticated));
}

}  // namespace millrace::pipeline
