// The parts of the comparison, and the list that they write to.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/core/versions.hpp"

namespace millrace::versions {

class Findings {
public:
    void breaks(std::string where, std::string what) { list.push_back({true, std::move(where), std::move(what)}); }
    void adds(std::string where, std::string what) { list.push_back({false, std::move(where), std::move(what)}); }
    std::vector<Finding> list;
};

// "a, b" of what is in `these` and not in `those`; empty when there is nothing.
[[nodiscard]] std::string missing(const std::vector<std::string>& these, const std::vector<std::string>& those);

void compare_policies(const std::string& where, const routes::ResolvedPolicies& older, const routes::ResolvedPolicies& newer,
                      Findings& out);
void compare_methods(const std::string& where, const std::string& older_allow, const std::string& newer_allow, Findings& out);
void compare_columns(const routes::Resource& older, const routes::Resource& newer, Findings& out);
void compare_links(const routes::Resource& older, const routes::Resource& newer, const routes::ApiCatalog& newer_api,
                   Findings& out);
// Of rows that can only be read: a function's.
void compare_read_columns(const std::string& where, const routes::Resource& older, const routes::Resource& newer,
                          Findings& out);
void compare_functions(const routes::ApiFunction& older, const routes::ApiFunction& newer, Findings& out);

}  // namespace millrace::versions
