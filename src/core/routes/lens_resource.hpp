// Makes one resource of a rule and the relation it is for.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/routes.hpp"

namespace millrace::routes {

struct Findings {
    std::vector<config::Problem> problems, warnings;
};

// Where a rule's mistakes are reported; path is the rule's JSON pointer.
struct Complaints {
    const std::string& file;
    std::string path;
    Findings& findings;

    void add(const std::string& below, std::string message, std::string suggestion = {}) const;
    void warn(std::string message) const;
};

// The columns that the rule shows, under its names, in the catalog's order, and the computed ones. `ways` are the names of
// computed relationships, which the rule may hide too.
void show_columns(Resource& resource, const ResourceRule& rule, const std::vector<std::string>& ways,
                  const Complaints& complaints);

[[nodiscard]] ResolvedPolicies resolve_function_policies(const FunctionRule& rule, const Policies& defaults,
                                                         const config::Settings& settings, const Complaints& complaints);

[[nodiscard]] ResolvedPolicies resolve_upstream_policies(const UpstreamRule& rule, const Policies& defaults,
                                                         const config::Settings& settings);

[[nodiscard]] ResolvedPolicies resolve_policies(const catalog::Relation& relation, const ResourceRule& rule,
                                                const Policies& defaults, const config::Settings& settings,
                                                const Complaints& complaints);

}  // namespace millrace::routes
