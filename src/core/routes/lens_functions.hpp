// Which functions a version shows, and what the rows of their results look like.
#pragma once

#include <memory>
#include <vector>

#include "lens_resource.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::routes {

// Sorted by name, with policies and overloads; what a call of an overload reads is still missing.
[[nodiscard]] std::vector<std::unique_ptr<ApiFunction>> shown_functions(const RouteTable& table,
                                                                        const catalog::Catalog& catalog,
                                                                        const config::Settings& settings, Findings& findings);

[[nodiscard]] inline bool returns_rows(const catalog::Function& function) {
    return function.result == catalog::ResultKind::composite || function.result == catalog::ResultKind::table;
}

// A resource of what the function returns, and the relation that it would be of.
struct ResultRows {
    std::unique_ptr<catalog::Relation> relation;
    std::unique_ptr<Resource> resource;
};
[[nodiscard]] ResultRows result_rows(const catalog::Function& function, const ApiFunction& shown);

}  // namespace millrace::routes
