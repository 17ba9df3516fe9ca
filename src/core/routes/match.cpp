// Decides where a path leads: /version/resource, by names that the version shows.
#include <algorithm>

#include "millrace/core/routes.hpp"
#include "millrace/core/text.hpp"
#include "version_headers.hpp"

namespace millrace::routes {
namespace {

const ApiCatalog* find_version(const Versions& versions, std::string_view name) {
    for (const auto& api : versions)
        if (api->version() == name) return api.get();
    return nullptr;
}

Error gone(const RouteTable& table) {
    Error error = Error::of(Fault::version_is_gone);
    if (!table.successor.empty()) error.hint = "Use /" + table.successor + " instead";
    for (auto& [name, value] : version_headers(table)) error.headers.emplace_back(name, std::move(value));
    return error;
}

// Suggestions name only what the version shows, and cost little whatever is asked for.
std::optional<std::string> suggestion(const ApiCatalog& api, std::string_view name) {
    constexpr std::size_t name_bytes_max = 64, resources_max = 500;
    if (name.size() > name_bytes_max || api.resources().size() > resources_max) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& resource : api.resources()) names.push_back(resource->name);
    return text::closest(name, names);
}

Error no_relation(const ApiCatalog& api, std::string_view name) {
    const std::string& schema = api.table().schema;
    Error error = Error::of(Fault::no_relation,
                            "Could not find the table '" + schema + "." + std::string(name) + "' in the schema cache");
    if (const auto meant = suggestion(api, name)) error.hint = "Perhaps you meant the table '" + schema + "." + *meant + "'";
    return error;
}

Error invalid_path() {
    Error error = Error::of(Fault::no_relation, "Invalid path specified in request URL");
    error.code = "PGRST125";
    return error;
}

Result<Match> match_resource(const ApiCatalog& api, std::string_view name) {
    const Resource* resource = api.find(name);
    if (resource == nullptr) return no_relation(api, name);
    return Match{&api, resource, nullptr, nullptr};
}

Result<Match> match_function(const ApiCatalog& api, std::string_view name) {
    Match match{&api, nullptr, api.find_function(name), nullptr};
    if (match.function != nullptr) return match;
    match.unknown_function = std::make_shared<const ApiFunction>(ApiFunction{std::string(name), {}, {}});
    match.function = match.unknown_function.get();
    return match;
}

using Find = Result<Match> (*)(const ApiCatalog& api, std::string_view name);

Result<Match> match_name(const ApiCatalog& api, std::string_view segment, Find find) {
    if (segment.find('/') != std::string_view::npos) return invalid_path();
    if (segment.find('%') != std::string_view::npos) {
        const auto name = text::percent_decode(segment);
        if (!name || !text::valid_utf8(*name)) return Error::of(Fault::bad_query, "The path's percent-encoding is not valid");
        return find(api, *name);
    }
    if (!text::valid_utf8(segment)) return Error::of(Fault::bad_query, "The path is not valid UTF-8");
    return find(api, segment);
}

}  // namespace

Result<Match> match(const Versions& versions, std::string_view path, WallTime now) {
    if (!path.starts_with('/')) return Error::of(Fault::no_such_version);
    path.remove_prefix(1);
    const auto slash = path.find('/');
    const ApiCatalog* api = find_version(versions, path.substr(0, slash));
    if (api == nullptr) return Error::of(Fault::no_such_version);
    if (api->table().sunset && now >= *api->table().sunset) return gone(api->table());

    const std::string_view segment = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (segment.empty()) return Match{api, nullptr, nullptr, nullptr};
    constexpr std::string_view functions = "rpc/";
    if (segment.starts_with(functions)) return match_name(*api, segment.substr(functions.size()), match_function);
    return match_name(*api, segment, match_resource);
}

}  // namespace millrace::routes
