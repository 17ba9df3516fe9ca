// What of a read may be kept.
#pragma once

#include <optional>
#include <string>

#include "millrace/core/auth.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"

namespace millrace::pipeline {

// `work` has its resource, its representation and its window. `values`: how many marks stand in the canonical query. Nothing
// when the answer must not be kept.
[[nodiscard]] std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const routes::Match& match,
                                                  std::string canonical_query, const auth::Identity& identity,
                                                  std::size_t values);

}  // namespace millrace::pipeline
