// The keys of a route table, each once: its name, its JSON Schema, what it means and how it is read.
#include <algorithm>
#include <array>

#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::routes {
namespace {

using message::Method;

constexpr std::string_view whole_number = R"({"type": "integer", "minimum": 0})";
constexpr std::string_view boolean = R"({"type": "boolean"})";
constexpr std::string_view text_schema = R"({"type": "string"})";
constexpr std::string_view name_schema = R"({"type": "string", "minLength": 1})";
constexpr std::string_view names_schema = R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true})";
constexpr std::string_view date_schema =
    R"({"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(Z|[+-]\\d{2}:\\d{2}))?$"})";

// Fields that are a value of their owner, read as what they are.
template <auto Member, class T>
void plain(Reader& reader, const Place& place, T& out) {
    reader.read(place, out.*Member);
}

template <auto Member, class T>
void optional_number(Reader& reader, const Place& place, T& out) {
    std::uint64_t number = 0;
    if (reader.read(place, number)) out.*Member = number;
}

template <auto Member, class T>
void date(Reader& reader, const Place& place, T& out) {
    reader.read_date(place, out.*Member);
}

template <auto Member, class T>
void name_set(Reader& reader, const Place& place, T& out) {
    std::vector<std::string> names;
    if (reader.read(place, names)) out.*Member = {names.begin(), names.end()};
}

// Keys that are left out keep what the defaults say.
void cache(Reader& reader, const Place& place, Policies& out) {
    if (!reader.is_object(place)) return;
    CachePolicy policy = out.cache.value_or(CachePolicy{});
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, cache_fields(), policy)) continue;
        std::vector<std::string> known;
        append_names(known, cache_fields());
        reader.unknown_key(place, key, known);
    }
    out.cache = policy;
}

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

void reads(Reader& reader, const Place& place, Policies& out) {
    if (const auto at = reader.read_choice(place, {"primary", "standby"})) out.standby = *at == 1;
}

void route_class(Reader& reader, const Place& place, Policies& out) {
    constexpr std::array classes{RouteClass::automatic, RouteClass::fast, RouteClass::slow};
    if (const auto at = reader.read_choice(place, {"auto", "fast", "slow"})) out.route_class = classes[*at];
}

void methods(Reader& reader, const Place& place, Policies& out) {
    static const std::vector<std::string> names{"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"};
    constexpr std::array values{Method::get,   Method::head, Method::options, Method::post,
                                Method::patch, Method::put,  Method::del};
    std::vector<std::string> written;
    if (!reader.read(place, written)) return;
    std::vector<Method> chosen;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const Place item{place.value[i], place.path + "/" + std::to_string(i)};
        if (const auto at = reader.read_choice(item, names)) chosen.push_back(values[*at]);
    }
    out.methods = std::move(chosen);
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

void resource(Reader& reader, const Place& place, ResourceRule& rule) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, resource_fields(), rule)) continue;
        if (read_field(reader, place, key, policy_fields(), rule.policies)) continue;
        std::vector<std::string> known;
        append_names(known, resource_fields());
        append_names(known, policy_fields());
        reader.unknown_key(place, key, known);
    }
}

void function(Reader& reader, const Place& place, FunctionRule& rule) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, function_fields(), rule)) continue;
        if (read_field(reader, place, key, policy_fields(), rule.policies)) continue;
        std::vector<std::string> known;
        append_names(known, function_fields());
        append_names(known, policy_fields());
        reader.unknown_key(place, key, known);
    }
    // Whoever gives a function a time of its own and names no tables says that the time alone decides.
    const bool timed =
        place.value.contains("cache") && place.value["cache"].is_object() && place.value["cache"].contains("ttl_s");
    if (timed && rule.policies.cache && rule.policies.cache->depends_on.empty()) rule.policies.cache->by_time = true;
}

void resources(Reader& reader, const Place& place, RouteTable& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        if (names_function(key)) {
            const std::string name = key.substr(function_prefix.size());
            FunctionRule rule;
            rule.function = name;
            rule.policies.cache = out.defaults.cache;
            function(reader, place.at(key), rule);
            out.functions.emplace(name, std::move(rule));
            continue;
        }
        if (key.empty()) {
            reader.problem(place.path + "/", "a name must not be empty");
            continue;
        }
        ResourceRule rule;
        rule.relation = key;
        rule.policies.cache = out.defaults.cache;
        resource(reader, place.at(key), rule);
        out.resources.emplace(key, std::move(rule));
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

const std::vector<Field<Policies>>& policy_fields() {
    static const std::vector<Field<Policies>> fields{
        {"cache", R"({"$ref": "#/$defs/cache"})", "How long answers are kept, and by whom.", cache},
        {"page_size_max", whole_number, "The most rows that one answer has; 0: no limit but that of the process.",
         optional_number<&Policies::page_size_max>},
        {"body_bytes_max", whole_number, "The longest body that a write may have.", optional_number<&Policies::body_bytes_max>},
        {"class", R"({"enum": ["auto", "fast", "slow"]})",
         "Which lanes its statements take; auto: by their shape and measured time.", route_class},
        {"reads", R"({"enum": ["primary", "standby"]})",
         "Where GET and HEAD are read; standby: at database.standby_url, as long as it is not behind what is known here.",
         reads},
        {"methods",
         R"({"type": "array", "items": {"enum": ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"]}, "uniqueItems": true})",
         "Which methods are allowed, of those that the relation can do. HEAD comes with GET, OPTIONS is always there.",
         methods},
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
         R"({"type": "object", "patternProperties": {"^rpc/": {"$ref": "#/$defs/function"}}, "additionalProperties": {"$ref": "#/$defs/resource"}})",
         "Resources by their names in the API; functions as \"rpc/name\".", resources},
    };
    return fields;
}

}  // namespace millrace::routes
