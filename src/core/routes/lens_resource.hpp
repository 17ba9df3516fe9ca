// Makes one resource of a rule and the relation it is for.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/routes.hpp"

namespace millrace::routes {

// Where a rule's mistakes are reported; path is the rule's JSON pointer.
struct Complaints {
    const std::string& file;
    std::string path;
    std::vector<config::Problem>& problems;

    void add(const std::string& below, std::string message, std::string suggestion = {}) const;
};

// The columns that the rule shows, under its names, in the catalog's order.
[[nodiscard]] std::vector<ApiColumn> shown_columns(const catalog::Relation& relation, const ResourceRule& rule,
                                                   const Complaints& complaints);

[[nodiscard]] ResolvedPolicies resolve_function_policies(const FunctionRule& rule, const Policies& defaults,
                                                         const config::Settings& settings, const Complaints& complaints);

[[nodiscard]] ResolvedPolicies resolve_policies(const catalog::Relation& relation, const ResourceRule& rule,
                                                const Policies& defaults, const config::Settings& settings,
                                                const Complaints& complaints);

}  // namespace millrace::routes
