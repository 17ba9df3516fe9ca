// What a route allows of a request: how complex it may be, what it may filter and order by, how much it may cost.
#pragma once

#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"

namespace millrace::pipeline {

// How a request of this caller is planned: embeds reach only what he may use.
[[nodiscard]] plan::Options plan_options(const Snapshot& snapshot, const auth::Identity& identity);

// Filters, embeds and the depth of the select, before any name is looked up. Fails with too_complex.
[[nodiscard]] Result<void> check_complexity(const request::ApiRequest& api, const routes::ResolvedPolicies& policies);

// Columns and operators of every filter and order: those of the root by `policies`, those of an embed by its own resource's.
// Fails with filter_not_allowed.
[[nodiscard]] Result<void> check_filters(const plan::Plan& plan, const routes::ResolvedPolicies& policies);

// Puts the question what the read would cost beside it, where the route has a limit. `values`: of a shape (marks.hpp).
[[nodiscard]] bool add_estimate(Work& work, const plan::Plan& plan, const sql::Session& session, std::size_t values = 0);

}  // namespace millrace::pipeline
