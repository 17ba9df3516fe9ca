// Pairs what two versions show by its name: what is gone, what is new, and what of the rest is another one now.
#include <algorithm>

#include "findings.hpp"

namespace millrace::versions {
namespace {

using routes::ApiCatalog;

void compare_resource(const routes::Resource& older, const ApiCatalog& newer_api, Findings& out) {
    const routes::Resource* newer = newer_api.find(older.name);
    if (newer == nullptr)
        return out.breaks(older.name, newer_api.find_upstream(older.name) != nullptr ? "a service answers for it now"
                                                                                     : "the resource is gone");
    compare_methods(older.name, older.allow(), newer->allow(), out);
    compare_columns(older, *newer, out);
    compare_links(older, *newer, newer_api, out);
    compare_policies(older.name, older.policies, newer->policies, out);
}

void compare_function(const routes::ApiFunction& older, const ApiCatalog& newer_api, Findings& out) {
    const routes::ApiFunction* newer = newer_api.find_function(older.name);
    if (newer == nullptr) return out.breaks(older.route, "the function is gone");
    compare_methods(older.route, older.allow(), newer->allow(), out);
    compare_functions(older, *newer, out);
    compare_policies(older.route, older.policies, newer->policies, out);
}

void compare_upstream(const routes::Upstream& older, const ApiCatalog& newer_api, Findings& out) {
    const routes::Upstream* newer = newer_api.find_upstream(older.name);
    if (newer == nullptr)
        return out.breaks(older.name,
                          newer_api.find(older.name) != nullptr ? "a relation answers for it now" : "the service is gone");
    compare_methods(older.name, older.allow(), newer->allow(), out);
    compare_policies(older.name, older.policies, newer->policies, out);
}

void find_new(const ApiCatalog& older, const ApiCatalog& newer, Findings& out) {
    for (const auto& each : newer.resources())
        if (older.find(each->name) == nullptr && older.find_upstream(each->name) == nullptr)
            out.adds(each->name, "a new resource");
    for (const auto& each : newer.functions())
        if (older.find_function(each->name) == nullptr) out.adds(each->route, "a new function");
    for (const auto& each : newer.upstreams())
        if (older.find_upstream(each->name) == nullptr && older.find(each->name) == nullptr)
            out.adds(each->name, "a new service");
}

}  // namespace

std::string missing(const std::vector<std::string>& these, const std::vector<std::string>& those) {
    std::string out;
    for (const std::string& each : these)
        if (std::ranges::find(those, each) == those.end()) out += (out.empty() ? "" : ", ") + each;
    return out;
}

std::vector<Finding> compare(const ApiCatalog& older, const ApiCatalog& newer) {
    Findings out;
    for (const auto& each : older.resources()) compare_resource(*each, newer, out);
    for (const auto& each : older.functions()) compare_function(*each, newer, out);
    for (const auto& each : older.upstreams()) compare_upstream(*each, newer, out);
    find_new(older, newer, out);
    std::ranges::stable_sort(
        out.list, [](const Finding& a, const Finding& b) { return a.breaks != b.breaks ? a.breaks : a.where < b.where; });
    return std::move(out.list);
}

std::string to_line(const Finding& finding) {
    return std::string(finding.breaks ? "breaks  " : "adds    ") + finding.where + ": " + finding.what;
}

}  // namespace millrace::versions
