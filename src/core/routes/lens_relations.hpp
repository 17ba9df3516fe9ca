// How a route table names relations, and what it says that an answer depends on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lens_resource.hpp"

namespace millrace::routes {

// "name" in the version's schema, else "schema.name".
[[nodiscard]] const catalog::Relation* find_relation(const catalog::Catalog& catalog, std::string_view schema,
                                                     const std::string& written);

// There is none of that name: the problem, with the name that was perhaps meant.
void unknown_relation(const catalog::Catalog& catalog, std::string_view schema, const std::string& written,
                      const Complaints& complaints);

// "depends_on" as tags: those of the tables behind each relation that it names.
void resolve_dependencies(ResolvedPolicies& policies, const catalog::Catalog& catalog, std::string_view schema,
                          const Complaints& complaints);

}  // namespace millrace::routes
