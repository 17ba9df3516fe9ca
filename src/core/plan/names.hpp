// Names of a request looked up in what the version shows, and the errors for those it does not show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/plan.hpp"

namespace millrace::plan {

[[nodiscard]] const catalog::Column* find_column(const routes::Resource& resource, std::string_view api_name);
// The name that the version gives a column of the catalog; nothing when it hides it.
[[nodiscard]] const std::string* find_api_name(const routes::Resource& resource, std::string_view column);

// As Postgres words it for a read (42703), and as PostgREST does for the keys of a payload (PGRST204).
[[nodiscard]] Error no_such_column(const routes::Resource& resource, std::string_view name);
[[nodiscard]] Error no_such_key(const routes::Resource& resource, std::string_view name);

[[nodiscard]] Result<Field> resolve(const routes::Resource& resource, const request::FieldPath& path);

[[nodiscard]] std::vector<const catalog::Column*> primary_key(const catalog::Relation& relation);

}  // namespace millrace::plan
