// What is wrong with the shape of a request, whatever its columns are.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

// Of two mistakes a request is told the one in what is embedded, and in what refers to embeds, before a missing column: in
// PostgREST it is Postgres that finds the latter, after all else. Gives back what was found when there is no such mistake.
[[nodiscard]] Error first_mistake(Error found, const request::ApiRequest& request, const routes::Resource& resource,
                                  const Options& options);

}  // namespace millrace::plan
