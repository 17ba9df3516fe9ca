// The keys of a route table, each once: its name, its JSON Schema, what it means and how it is read.
#include <algorithm>

#include "field_readers.hpp"
#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"

namespace millrace::routes {
namespace {

void vary_claims(Reader& reader, const Place& place, CachePolicy& out) {
    std::vector<std::string> claims;
    if (!reader.read(place, claims)) return;
    for (std::size_t i = 0; i < claims.size(); ++i)
        if (!auth::valid_claim(claims[i]))
            reader.problem(place.path + "/" + std::to_string(i),
                           "must be a claim's name, or a path like \".app_metadata.tenant\" or \"$['a b'][0]\"");
    out.vary_claims = std::move(claims);
}

// What only the owner of one route can know is no default: it would hold for routes that come later, too.
void refuse_as_default(Reader& reader, const Place& cache) {
    for (const char* key : {"depends_on", "by_time"})
        if (cache.value.is_object() && cache.value.contains(key))
            reader.problem(cache.path + "/" + key, "belongs to a resource: it cannot be a default");
}

void rename(Reader& reader, const Place& place, ResourceRule& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        std::string column;
        if (key.empty()) {
            reader.problem(place.path + "/", "a name must not be empty");
        } else if (reader.read(place.at(key), column)) {
            out.rename.emplace(key, std::move(column));
        }
    }
}

void expose(Reader& reader, const Place& place, RouteTable& out) {
    if (const auto at = reader.read_choice(place, {"schema", "listed"})) out.expose_schema = *at == 0;
}

// One path segment that needs no percent-encoding (RFC 3986 §2.3).
void version(Reader& reader, const Place& place, RouteTable& out) {
    std::string name;
    if (!reader.read(place, name)) return;
    if (name.empty() || name == "." || name == ".." || text::percent_encode(name) != name)
        return reader.problem(place.path, "must be letters, digits, '-', '_', '.' or '~'");
    out.version = std::move(name);
}

void docs_url(Reader& reader, const Place& place, RouteTable& out) {
    std::string url;
    if (!reader.read(place, url)) return;
    const bool visible =
        std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '"'; });
    if (!visible || !(url.starts_with("https://") || url.starts_with("http://")))
        return reader.problem(place.path, "must be a URL that begins with https:// or http://");
    out.docs_url = std::move(url);
}

void defaults(Reader& reader, const Place& place, RouteTable& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        if (key == "cache") refuse_as_default(reader, place.at(key));
        if (read_field(reader, place, key, policy_fields(), out.defaults)) continue;
        std::vector<std::string> known;
        append_names(known, policy_fields());
        reader.unknown_key(place, key, known);
    }
}

// The keys of one kind of route, and those that every kind may have.
template <class Rule>
void route(Reader& reader, const Place& place, const std::vector<Field<Rule>>& fields, Rule& rule) {
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, fields, rule)) continue;
        if (read_field(reader, place, key, policy_fields(), rule.policies)) continue;
        std::vector<std::string> known;
        append_names(known, fields);
        append_names(known, policy_fields());
        reader.unknown_key(place, key, known);
    }
}

void function(Reader& reader, const Place& place, FunctionRule& rule) {
    route(reader, place, function_fields(), rule);
    // Whoever gives a function a time of its own and names no tables says that the time alone decides.
    const bool timed =
        place.value.contains("cache") && place.value["cache"].is_object() && place.value["cache"].contains("ttl_s");
    if (timed && rule.policies.cache && rule.policies.cache->depends_on.empty()) rule.policies.cache->by_time = true;
}

void add_function(Reader& reader, const Place& place, const std::string& key, RouteTable& out) {
    const std::string name = key.substr(function_prefix.size());
    FunctionRule rule;
    rule.function = name;
    rule.policies.cache = out.defaults.cache;
    function(reader, place, rule);
    out.functions.emplace(name, std::move(rule));
}

void add_resource(Reader& reader, const Place& place, const std::string& key, RouteTable& out) {
    ResourceRule rule;
    rule.relation = key;
    rule.policies.cache = out.defaults.cache;
    route(reader, place, resource_fields(), rule);
    out.resources.emplace(key, std::move(rule));
}

// The defaults of a cache are meant for the database's answers, which it invalidates: a service says its own (RFC 9111).
void add_upstream(Reader& reader, const Place& place, const std::string& key, RouteTable& out) {
    UpstreamRule rule;
    route(reader, place, upstream_route_fields(), rule);
    if (key.find('/') != std::string::npos) return reader.problem(place.path, "a service's name has no '/'");
    out.upstreams.emplace(key, std::move(rule));
}

void resources(Reader& reader, const Place& place, RouteTable& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        const Place at = place.at(key);
        if (key.empty())
            reader.problem(place.path + "/", "a name must not be empty");
        else if (!reader.is_object(at))
            continue;
        else if (names_function(key))
            add_function(reader, at, key, out);
        else if (value.contains("upstream"))
            add_upstream(reader, at, key, out);
        else
            add_resource(reader, at, key, out);
    }
}

void ignored(Reader&, const Place&, RouteTable&) {}

}  // namespace

const std::vector<Field<CachePolicy>>& cache_fields() {
    static const std::vector<Field<CachePolicy>> fields{
        {"ttl_s", whole_number, "How long an answer may be kept in process and in Redis; 0: not at all.",
         plain<&CachePolicy::ttl_s>},
        {"max_age_s", whole_number, "How long clients may keep it (Cache-Control: max-age).", plain<&CachePolicy::max_age_s>},
        {"s_maxage_s", whole_number, "How long shared caches may keep it (Cache-Control: s-maxage).",
         optional_number<&CachePolicy::s_maxage_s>},
        {"cdn_max_age_s", whole_number, "How long CDNs may keep it (CDN-Cache-Control: max-age, RFC 9213).",
         optional_number<&CachePolicy::cdn_max_age_s>},
        {"stale_while_revalidate_s", whole_number,
         "How long after it was last known to hold an answer may still be given while it is read anew (RFC 5861).",
         plain<&CachePolicy::stale_while_revalidate_s>},
        {"stale_if_error_s", whole_number,
         "How long after it was last known to hold an answer may still be given when reading it anew fails (RFC 5861).",
         plain<&CachePolicy::stale_if_error_s>},
        {"shared", boolean, "Whether proxies and CDNs may keep answers: \"public\" rather than \"private\".",
         plain<&CachePolicy::shared>},
        {"client_directives", boolean,
         "Whether Cache-Control of requests is honoured: no-cache, no-store, max-age, only-if-cached.",
         plain<&CachePolicy::client_directives>},
        {"groups", boolean, "Whether answers name their groups and writes the groups they end (Cache-Groups, RFC 9875).",
         plain<&CachePolicy::groups>},
        {"surrogate_keys", boolean, "Whether answers carry their tags in Surrogate-Key, for CDNs that purge by it.",
         plain<&CachePolicy::surrogate_keys>},
        {"vary_claims", names_schema,
         "Claims of the token that decide, with the role, what its bearer sees: names, or paths like \".app_metadata.tenant\". "
         "Answers are shared by those who agree in role and claims; [] says that the role alone decides. Without it nothing is "
         "kept that may differ by who asks.",
         vary_claims},
        {"depends_on", names_schema,
         "Tables that the rows depend on where that cannot be seen: behind functions and foreign tables. \"name\" in the "
         "table's schema, or \"schema.name\". Not a default.",
         plain<&CachePolicy::depends_on>},
        {"by_time", boolean,
         "Whether answers may be kept for ttl_s although nobody can say when they change: behind functions, foreign tables, "
         "volatile expressions and tables without triggers. Not a default.",
         plain<&CachePolicy::by_time>},
    };
    return fields;
}

const std::vector<Field<ResourceRule>>& resource_fields() {
    static const std::vector<Field<ResourceRule>> fields{
        {"relation", name_schema, "The table or view: \"name\" in the table's schema, or \"schema.name\". Default: the key.",
         plain<&ResourceRule::relation>},
        {"rename", R"({"type": "object", "additionalProperties": {"type": "string"}})",
         "Other names for columns: name in the API, then the column.", rename},
        {"hide", names_schema, "Columns that the version does not show.", name_set<&ResourceRule::hide>},
        {"only", names_schema, "If given: these columns and no other.", plain<&ResourceRule::only>},
    };
    return fields;
}

const std::vector<Field<FunctionRule>>& function_fields() {
    static const std::vector<Field<FunctionRule>> fields{
        {"function", name_schema,
         "The function with all its overloads: \"name\" in the table's schema, or \"schema.name\". Default: the key without "
         "rpc/.",
         plain<&FunctionRule::function>},
    };
    return fields;
}

// In the order in which they are read: the defaults before the resources that inherit from them.
const std::vector<Field<RouteTable>>& table_fields() {
    static const std::vector<Field<RouteTable>> fields{
        {"$schema", text_schema, "Where editors find this schema.", ignored},
        {"version", R"({"type": "string", "pattern": "^[A-Za-z0-9._~-]+$"})",
         "The first segment of the path. Default: the file's name without its extension.", version},
        {"schema", name_schema, "The database schema.", plain<&RouteTable::schema>},
        {"expose", R"({"enum": ["schema", "listed"]})",
         "schema: every table, view and function of the schema is shown; listed: only what \"resources\" names.", expose},
        {"hide", names_schema, "Relations, and functions as \"rpc/name\", that \"expose\": \"schema\" does not show.",
         name_set<&RouteTable::hide>},
        {"deprecated", date_schema, "Since when or from when on the version is deprecated (RFC 9745).",
         date<&RouteTable::deprecated>},
        {"sunset", date_schema, "From when on the version answers 410 (RFC 8594).", date<&RouteTable::sunset>},
        {"successor", name_schema, "The version to move to.", plain<&RouteTable::successor>},
        {"docs_url", R"({"type": "string", "pattern": "^https?://"})", "A page about the deprecation and how to move on.",
         docs_url},
        {"defaults", R"({"$ref": "#/$defs/policies"})", "What holds for every resource unless it says otherwise.", defaults},
        {"resources",
         R"({"type": "object", "patternProperties": {"^rpc/": {"$ref": "#/$defs/function"}}, "additionalProperties": {"if": {"required": ["upstream"]}, "then": {"$ref": "#/$defs/upstream_route"}, "else": {"$ref": "#/$defs/resource"}}})",
         "Resources by their names in the API: relations, functions as \"rpc/name\", and services.", resources},
    };
    return fields;
}

}  // namespace millrace::routes
