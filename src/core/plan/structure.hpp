// What is wrong with the shape of a request, whatever its columns are.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

// The first mistake in what is embedded and in what refers to embeds, columns not looked at. Of two mistakes a request is told
// this one first, as PostgREST does: there Postgres finds the missing columns, after all else.
[[nodiscard]] Result<void> check_structure(const request::ApiRequest& request, const routes::Resource& resource,
                                           const Options& options);

}  // namespace millrace::plan
