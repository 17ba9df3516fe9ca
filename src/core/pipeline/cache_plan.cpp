// Decides whether an answer may be kept, under which key, and what must change for it to be wrong.
#include "cache_plan.hpp"

#include <algorithm>

#include "marks.hpp"

namespace millrace::pipeline {
namespace {

// Its rows may differ by role, claims or other settings of the transaction.
bool depends_on_session(const catalog::Relation& relation) { return relation.row_security || relation.reads_session; }

// Rows that depend on who asks or on the clock are not told apart by role and tags, and without triggers nobody says when a
// table changes.
bool cacheable(const std::vector<const catalog::Relation*>& relations) {
    return std::ranges::all_of(relations, [](const catalog::Relation* relation) {
        return relation->watched && !relation->is_volatile && !depends_on_session(*relation);
    });
}

bool calls_what_may_change(const plan::Plan& plan) {
    const auto* read = std::get_if<plan::Read>(&plan);
    return read != nullptr &&
           plan::most_volatile_function(*read).value_or(catalog::Volatility::immutable) != catalog::Volatility::immutable;
}

}  // namespace

std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const routes::Match& match,
                                    std::string canonical_query, const auth::Identity& identity, std::size_t values) {
    const routes::CachePolicy& policy = work.resource->policies.cache;
    const catalog::Catalog& catalog = *work.snapshot->catalog;
    // A handler may look at more of the request than the key tells, and a plan is of its moment.
    if (work.shape.representation.handled || work.shape.representation.form.explain) return std::nullopt;
    if (work.script.writes || policy.ttl_s == 0 || calls_what_may_change(plan)) return std::nullopt;
    if (!cacheable(plan::relations_behind(plan, catalog))) return std::nullopt;
    auto order = take_order(canonical_query, values);
    if (!order) return std::nullopt;
    // What else of the request decides the bytes: the representation, the window that a Range header asked for, the count.
    const std::string range = std::to_string(work.shape.window.offset) + "-" +
                              std::to_string(work.shape.window.limit.value_or(-1)) + "/" +
                              std::to_string(static_cast<int>(work.shape.count));
    const std::string base = match.base();  // KeyParts only looks at it
    cache::KeyParts parts;
    parts.version = base;
    parts.resource = work.resource->name;
    parts.query = canonical_query;
    parts.media = work.shape.representation.name;
    parts.range = range;
    parts.role = identity.role;
    parts.deployment = work.snapshot->fingerprint;
    return CachePlan{cache::make_key(parts), std::move(*order), plan::tables_behind(plan, catalog), policy};
}

}  // namespace millrace::pipeline
