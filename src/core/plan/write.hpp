// The plans of requests that change rows.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

[[nodiscard]] Result<Plan> plan_insert(const request::ApiRequest& request, request::Payload payload,
                                       const routes::Resource& resource, const Options& options);
[[nodiscard]] Result<Plan> plan_replace(const request::ApiRequest& request, request::Payload payload,
                                        const routes::Resource& resource, const Options& options);
[[nodiscard]] Result<Plan> plan_update(const request::ApiRequest& request, request::Payload payload,
                                       const routes::Resource& resource, const Options& options);
[[nodiscard]] Result<Plan> plan_remove(const request::ApiRequest& request, const routes::Resource& resource,
                                       const Options& options);

}  // namespace millrace::plan
