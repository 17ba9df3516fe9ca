// Cuts a route table down to the routes that are named.
#include "millrace/core/part.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::part {
namespace {

constexpr std::string_view functions = "rpc/";

bool names(const std::string& one, const std::string& version, const std::string& route) {
    return one == route || one == version + "/" + route;
}

bool names(std::span<const std::string> only, const std::string& version, const std::string& route) {
    return std::ranges::any_of(only, [&](const std::string& one) { return names(one, version, route); });
}

std::vector<std::string> routes_of(const routes::ApiCatalog& api) {
    std::vector<std::string> out;
    for (const auto& resource : api.resources()) out.push_back(resource->name);
    for (const auto& function : api.functions()) out.push_back(function->route);
    for (const auto& service : api.upstreams()) out.push_back(service->name);
    return out;
}

}  // namespace

// What a rule named is not shown by "expose" under its own name instead.
routes::RouteTable table_of(const routes::ApiCatalog& whole, std::span<const std::string> only) {
    routes::RouteTable table = whole.table();
    const auto served = [&](const std::string& route) { return names(only, whole.version(), route); };
    for (const auto& resource : whole.resources()) {
        if (served(resource->name)) continue;
        table.resources.erase(resource->name);
        if (resource->relation->schema == table.schema) table.hide.insert(resource->relation->name);
    }
    for (const auto& function : whole.functions()) {
        if (served(function->route)) continue;
        table.functions.erase(function->name);
        for (const routes::Overload& overload : function->overloads)
            if (overload.function->schema == table.schema) table.hide.insert(std::string(functions) + overload.function->name);
    }
    for (const auto& service : whole.upstreams()) {
        if (served(service->name)) continue;
        table.upstreams.erase(service->name);
        if (whole.catalog().find(table.schema, service->name) != nullptr) table.hide.insert(service->name);
    }
    return table;
}

std::vector<config::Problem> unknown_names(const routes::Versions& whole, std::span<const std::string> only) {
    std::vector<config::Problem> problems;
    for (std::size_t i = 0; i < only.size(); ++i) {
        bool known = false;
        std::vector<std::string> candidates;
        for (const auto& api : whole)
            for (const std::string& route : routes_of(*api)) {
                known = known || names(only[i], api->version(), route);
                candidates.push_back(route);
                candidates.push_back(api->version() + "/" + route);
            }
        if (known) continue;
        problems.push_back({"settings", "/only/" + std::to_string(i), "there is no route \"" + only[i] + "\"",
                            text::closest(only[i], candidates).value_or("")});
    }
    return problems;
}

}  // namespace millrace::part
