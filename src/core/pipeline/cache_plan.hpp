// What of a read may be kept.
#pragma once

#include <optional>
#include <string>

#include "millrace/core/auth.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"

namespace millrace::pipeline {

// `values`: how many marks stand in the canonical query.
struct Asked {
    const routes::Match& match;
    const request::ApiRequest& api;
    const auth::Identity& identity;
    std::size_t values = 0;
};

// `work` has its resource, its representation and its window. Nothing when the answer must not be kept.
[[nodiscard]] std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const Asked& asked);

}  // namespace millrace::pipeline
