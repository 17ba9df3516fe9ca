// Names of a request looked up in what the version shows, and the errors for those it does not show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/plan.hpp"

namespace millrace::plan {

[[nodiscard]] const catalog::Column* find_column(const routes::Resource& resource, std::string_view api_name);  // stored
[[nodiscard]] const catalog::Column* find_readable(const routes::Resource& resource,
                                                   std::string_view api_name);  // computed too

// As Postgres words it for a read (42703), and as PostgREST does for the keys of a payload (PGRST204).
[[nodiscard]] Error no_such_column(const routes::Resource& resource, std::string_view name);
[[nodiscard]] Error no_such_key(const routes::Resource& resource, std::string_view name);

[[nodiscard]] Result<Field> resolve(const routes::Resource& resource, const request::FieldPath& path);

// A key of Relation as columns; empty when the relation lacks one of them.
[[nodiscard]] std::vector<const catalog::Column*> key_columns(const catalog::Relation& relation,
                                                              const std::vector<std::string>& key);

}  // namespace millrace::plan
