// Decides where a path leads: /version/resource, by names that the version shows.
#include <algorithm>

#include "millrace/core/routes.hpp"
#include "millrace/core/text.hpp"
#include "version_headers.hpp"

namespace millrace::routes {
namespace {

// A resource of that name comes first.
constexpr std::string_view openapi_name = "openapi.json";

// Tables of one version differ by their schema; the first is the default.
Result<Match> find_version(const Versions& versions, std::string_view name, bool at_root, std::string_view profile) {
    const ApiCatalog *first = nullptr, *chosen = nullptr;
    std::string schemas;
    bool several = false;
    for (const auto& api : versions) {
        if (at_root ? !api->table().at_root : api->version() != name) continue;
        several = first != nullptr;
        if (first == nullptr) first = api.get();
        if (chosen == nullptr && (profile.empty() || api->table().schema == profile)) chosen = api.get();
        schemas += (schemas.empty() ? "" : ", ") + api->table().schema;
    }
    if (first == nullptr) return Error::of(Fault::no_such_version);
    if (chosen == nullptr)
        return Error::of(Fault::unacceptable_schema, "Invalid schema: " + std::string(profile))
            .with_hint("Only the following schemas are exposed: " + schemas);
    Match match;
    match.api = chosen;
    match.at_root = at_root;
    match.negotiated = several || !profile.empty();
    return match;
}

Error gone(const RouteTable& table) {
    Error error = Error::of(Fault::version_is_gone);
    if (!table.successor.empty()) error.hint = "Use /" + table.successor + " instead";
    for (auto& [name, value] : version_headers(table)) error.headers.emplace_back(name, std::move(value));
    return error;
}

// Suggestions name only what the version shows and everybody may read, whoever asks; and they cost little whatever is asked
// for.
std::optional<std::string> suggestion(const ApiCatalog& api, std::string_view name) {
    constexpr std::size_t name_bytes_max = 64, resources_max = 500;
    if (name.size() > name_bytes_max || api.resources().size() > resources_max) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& resource : api.resources())
        if (resource->relation->anonymous.select) names.push_back(resource->name);
    constexpr double similar = 0.75;  // PostgREST's: names less alike are other names, and stay unsaid
    return text::most_similar(name, names, similar);
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

Result<Match> match_resource(Match match, std::string_view name) {
    match.resource = match.api->find(name);
    match.openapi = match.resource == nullptr && name == openapi_name;
    if (match.resource == nullptr && !match.openapi) return no_relation(*match.api, name);
    return match;
}

Result<Match> match_function(Match match, std::string_view name) {
    match.function = match.api->find_function(name);
    if (match.function != nullptr) return match;
    match.unknown_function = std::make_shared<const ApiFunction>(ApiFunction{std::string(name), {}, {}, {}});
    match.function = match.unknown_function.get();
    return match;
}

using Find = Result<Match> (*)(Match match, std::string_view name);

Result<Match> match_name(const Match& match, std::string_view segment, Find find) {
    if (segment.find('/') != std::string_view::npos) return invalid_path();
    if (segment.find('%') != std::string_view::npos) {
        const auto name = text::percent_decode(segment);
        if (!name || !text::valid_utf8(*name)) return Error::of(Fault::bad_query, "The path's percent-encoding is not valid");
        return find(match, *name);
    }
    if (!text::valid_utf8(segment)) return Error::of(Fault::bad_query, "The path is not valid UTF-8");
    return find(match, segment);
}

// A service answers for its name and for all below it.
Result<Match> match_below(Match match, std::string_view segment) {
    const auto slash = std::min(segment.find('/'), segment.size());
    const auto name = text::percent_decode(segment.substr(0, slash));
    match.upstream = name ? match.api->find_upstream(*name) : nullptr;
    match.below = segment.substr(slash);
    if (match.upstream == nullptr) return match_name(match, segment, match_resource);
    return match;
}

// What follows the version in the path.
Result<Match> match_segment(const Match& match, std::string_view segment) {
    constexpr std::string_view functions = "rpc/";
    if (segment.empty()) return match;
    if (segment.starts_with(functions)) return match_name(match, segment.substr(functions.size()), match_function);
    if (!match.api->upstreams().empty()) return match_below(match, segment);
    return match_name(match, segment, match_resource);
}

}  // namespace

Result<Match> match(const Versions& versions, std::string_view path, std::string_view profile, WallTime now) {
    if (!path.starts_with('/')) return Error::of(Fault::no_such_version);
    path.remove_prefix(1);
    const auto slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    const bool at_root = std::ranges::none_of(versions, [&](const auto& api) { return api->version() == name; });
    auto version = find_version(versions, name, at_root, profile);
    if (!version) return version;
    const RouteTable& table = version->api->table();
    if (table.sunset && now >= *table.sunset) return gone(table);
    if (at_root) return match_segment(*version, path);
    return match_segment(*version, slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1));
}

}  // namespace millrace::routes
