// Versions are lenses: a route table says what a version shows of the catalog, and under which names. An ApiCatalog is the
// table laid over the catalog, built once per snapshot; whatever plans a request sees nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/catalog.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/congestion.hpp"
#include "millrace/core/message.hpp"

namespace millrace::routes {

enum class RouteClass : std::uint8_t { automatic, fast, slow };

struct CachePolicy {
    std::uint64_t ttl_s = 0;                     // in process and Redis; 0: not cached
    std::uint64_t max_age_s = 0;                 // what Cache-Control tells clients
    std::optional<std::uint64_t> s_maxage_s;     // the same for shared caches (RFC 9111 §5.2.2.10)
    std::optional<std::uint64_t> cdn_max_age_s;  // CDN-Cache-Control (RFC 9213)
    std::uint64_t stale_while_revalidate_s = 0;  // RFC 5861 §3, here and in what Cache-Control says
    std::uint64_t stale_if_error_s = 0;          // RFC 5861 §4, the same
    bool shared = false;                         // "public" rather than "private"
    bool client_directives = false;              // Cache-Control of requests is honoured (RFC 9111 §5.2.1)
    bool groups = false;                         // Cache-Groups and Cache-Group-Invalidation (RFC 9875)
    bool surrogate_keys = false;                 // Surrogate-Key: the tags, for CDNs that purge by it
    // Claims of the token that, with the role, tell answers apart: a member's name, or a path that begins with '.' or '$'. Of
    // an empty list the role alone does. Nothing: the route does not say, and what may differ by identity is not kept.
    std::optional<std::vector<std::string>> vary_claims;
    std::vector<std::string> depends_on;  // "table" or "schema.table": what the rows depend on besides what can be seen
    bool by_time = false;                 // what depends on more than that may be kept all the same, until ttl_s is over
};

// Who may use a route. `standard`: whoever auth.anonymous lets in.
enum class Access : std::uint8_t { standard, anybody, identified };
using congestion::Priority;  // who is refused first under load
enum class Idempotency : std::uint8_t { optional, required, off };

// Whose certificates are believed of services that speak TLS. Made where files are read (io/services), and shared by threads.
class Authorities {
public:
    virtual ~Authorities() = default;
    std::uint64_t fingerprint = 0;  // of the file's contents
};

// An HTTP service behind a route.
struct UpstreamPolicy {
    std::vector<std::string> urls;                     // "http[s]://host[:port][/base]": addresses of one service
    std::string ca_file;                               // PEM, beside the route table; empty: the system's authorities
    std::shared_ptr<const Authorities> authorities{};  // of it, where an address is https
    std::string path;                                  // that the route's name stands for there; empty: "/" and the name
    std::string health_path;                           // asked in the background; empty: none is
    std::uint64_t health_every_ms = 2'000;
    std::uint64_t connect_timeout_ms = 1'000;
    std::uint64_t timeout_ms = 10'000;               // for its head
    std::uint64_t connections_max = 64;              // per address and worker
    std::uint64_t retries_max = 1;                   // of safe requests, under the budget
    bool forward_authorization = false;              // else the service never sees the caller's token
    std::map<std::string, std::string> set_headers;  // of the request
    std::vector<std::string> remove_headers;         // of the answer
};

// What a route table says of a resource; unset fields inherit the version's defaults.
struct Policies {
    std::optional<CachePolicy> cache;
    std::optional<std::uint64_t> page_size_max;
    std::optional<std::uint64_t> body_bytes_max;
    std::optional<RouteClass> route_class;
    std::optional<std::vector<message::Method>> methods;
    std::optional<bool> standby;                     // "reads"
    std::optional<Access> access;                    // "auth"
    std::optional<std::vector<std::string>> scopes;  // "auth": those that are all needed
    std::optional<std::vector<std::string>> limits;  // core/rate
    std::optional<std::uint64_t> cost;               // tokens of a request
    std::optional<std::uint64_t> rows_per_cost;      // so many rows of the answer cost one more; 0: rows are free
    std::optional<std::uint64_t> timeout_ms;
    std::optional<Priority> priority;
    std::optional<std::uint64_t> lanes_max;  // that the route may take at once, per worker; 0: all
    std::optional<Idempotency> idempotency;
    std::optional<std::vector<std::string>> cors_origins;
    std::optional<std::uint64_t> filters_max, embeds_max, select_depth_max, answer_bytes_max, cost_max;
    std::optional<std::vector<std::string>> filter_columns;    // names in the API; nothing: every one
    std::optional<std::vector<std::string>> filter_operators;  // "eq", "like", …; nothing: every one
};

struct ResourceRule {
    std::string relation;                       // "table" or "schema.table"
    std::map<std::string, std::string> rename;  // name in the API → column in the catalog
    std::set<std::string> hide;                 // columns of the catalog, computed columns and relationships too
    std::vector<std::string> only;              // if not empty: these columns of the catalog and no other
    Policies policies;
};

// "rpc/<name>": a function, every overload of it.
struct FunctionRule {
    std::string function;  // "function" or "schema.function"
    Policies policies;
};

// A service: no relation, no dialect.
struct UpstreamRule {
    UpstreamPolicy upstream;
    Policies policies;
};

// A route table as written, config/routes/<version>.json.
struct RouteTable {
    std::string file;
    std::string version;            // "v1": the first path segment
    std::string schema = "public";  // of several tables of a version its name in Accept-Profile and Content-Profile
    bool at_root = false;           // the version is served at "/" too, where no other version's name stands
    bool expose_schema = false;     // "expose": "schema": all relations and functions of the schema, besides those listed
    std::map<std::string, ResourceRule> resources;
    std::map<std::string, FunctionRule> functions;  // by their names in the API; in the file they are resources "rpc/<name>"
    std::map<std::string, UpstreamRule> upstreams;  // those that say "upstream"
    std::set<std::string> hide;                     // relations, and functions as "rpc/<name>", that "expose" must not show
    Policies defaults;
    std::optional<WallTime> deprecated, sunset;
    std::string successor;  // a version's name
    std::string docs_url;
};

struct ParsedTable {
    RouteTable table;
    std::vector<config::Problem> problems;
};

// Reads a table's JSON (with comments): unknown keys, wrong types and bad dates are problems with a suggestion.
[[nodiscard]] ParsedTable parse_route_table(std::string_view text, const std::string& file);
[[nodiscard]] std::string json_schema();  // config/routes.schema.json

struct ApiColumn {
    std::string name;  // in the API
    const catalog::Column* column = nullptr;
};

struct Resource;

// A relationship whose both ends the version shows.
struct Link {
    const Resource* target = nullptr;
    const catalog::Relationship* relationship = nullptr;
};

// Policies with every default filled in.
struct ResolvedPolicies {
    CachePolicy cache;
    std::uint64_t page_size_max = 0;  // 0: no limit
    std::uint64_t body_bytes_max = 0;
    RouteClass route_class = RouteClass::automatic;
    std::vector<message::Method> methods;  // includes HEAD with GET, and OPTIONS
    std::vector<std::string> depends_on;   // the cache's, as tags; sorted
    bool depends_on_watched = false;       // there are some, and invalidation triggers are on all of them
    bool standby = false;                  // reads may be answered by a standby
    Access access = Access::standard;
    std::vector<std::string> scopes;
    std::vector<std::string> limits;
    std::uint64_t cost = 1;
    std::uint64_t rows_per_cost = 0;
    std::uint64_t timeout_ms = 0;
    Priority priority = Priority::normal;
    std::uint64_t lanes_max = 0;
    Idempotency idempotency = Idempotency::optional;
    std::vector<std::string> cors_origins;
    std::uint64_t filters_max = 0, embeds_max = 0, select_depth_max = 0, answer_bytes_max = 0, cost_max = 0;
    std::optional<std::vector<std::string>> filter_columns, filter_operators;

    // Has the route's owner said when an answer goes stale whose dependencies cannot be seen?
    [[nodiscard]] bool declares_dependencies() const { return depends_on_watched || cache.by_time; }
};

struct Resource {
    std::string name;
    const catalog::Relation* relation = nullptr;
    std::vector<ApiColumn> columns;
    std::vector<ApiColumn> computed;  // can be read by name, but are not part of *
    std::vector<Link> links;
    ResolvedPolicies policies;

    [[nodiscard]] const ApiColumn* column(std::string_view api_name) const;         // that is stored
    [[nodiscard]] const ApiColumn* readable(std::string_view api_name) const;       // stored or computed
    [[nodiscard]] const ApiColumn* by_catalog_name(std::string_view column) const;  // nothing when the version hides it
    [[nodiscard]] bool allows(message::Method method) const;
    [[nodiscard]] std::string allow() const;  // the value of Allow
};

// The column in which a call returns what is no row: scalars and records.
inline constexpr std::string_view scalar_column = "pgrst_scalar";

// One of the functions of a name. Rows that it returns are seen through `rows`: the resource of the relation whose rows they
// are when the version shows it, else one made of the function's own result columns, without links. Nothing for void, scalars
// and records.
struct Overload {
    const catalog::Function* function = nullptr;
    const Resource* rows = nullptr;
    const Resource* result = nullptr;  // what a call reads: `rows`, else a resource of the one column scalar_column
};

// /rpc/<name>
struct ApiFunction {
    std::string name;
    std::string route;                // "rpc/<name>": what counts and lines of the log call it
    std::vector<Overload> overloads;  // of fewer parameters first
    ResolvedPolicies policies;

    [[nodiscard]] bool allows(message::Method method) const;
    // The value of Allow: without GET and HEAD when every overload is volatile (PostgREST, "OPTIONS method").
    [[nodiscard]] std::string allow() const;
};

// A name that a service answers for, and all paths below it.
struct Upstream {
    std::string name;
    UpstreamPolicy upstream;
    ResolvedPolicies policies;

    [[nodiscard]] bool allows(message::Method method) const;
    [[nodiscard]] std::string allow() const;
};

// One version over one catalog. Immutable; its pointers point into the catalog that it keeps alive.
class ApiCatalog {
public:
    ApiCatalog(RouteTable table, std::shared_ptr<const catalog::Catalog> catalog);
    ApiCatalog(const ApiCatalog&) = delete;
    ApiCatalog& operator=(const ApiCatalog&) = delete;

    [[nodiscard]] const Resource* find(std::string_view name) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Resource>>& resources() const { return resources_; }
    [[nodiscard]] const ApiFunction* find_function(std::string_view name) const;
    [[nodiscard]] const std::vector<std::unique_ptr<ApiFunction>>& functions() const { return functions_; }
    [[nodiscard]] const Upstream* find_upstream(std::string_view name) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Upstream>>& upstreams() const { return upstreams_; }
    [[nodiscard]] const RouteTable& table() const { return table_; }
    [[nodiscard]] const catalog::Catalog& catalog() const { return *catalog_; }
    [[nodiscard]] const std::string& version() const { return table_.version; }

private:
    friend struct LensBuilder;
    RouteTable table_;
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::vector<std::unique_ptr<Resource>> resources_;
    std::unordered_map<std::string_view, const Resource*> by_name_;
    std::vector<std::unique_ptr<ApiFunction>> functions_;                 // sorted by name
    std::vector<std::unique_ptr<Upstream>> upstreams_;                    // sorted by name
    std::vector<std::unique_ptr<Resource>> function_results_;             // what Overload::rows points to besides resources
    std::vector<std::unique_ptr<catalog::Relation>> function_relations_;  // behind them
};

struct Lens {
    std::shared_ptr<const ApiCatalog> api;  // set when there are no problems
    std::vector<config::Problem> problems;  // unknown relations, columns, successors, clashes of names
    std::vector<config::Problem> warnings;  // what is allowed and does less than it says
};
[[nodiscard]] Lens build_lens(const RouteTable& table, std::shared_ptr<const catalog::Catalog> catalog,
                              const config::Settings& settings);

// Where a request goes.
struct Match {
    const ApiCatalog* api = nullptr;
    const Resource* resource = nullptr;
    const ApiFunction* function = nullptr;
    const Upstream* upstream = nullptr;  // none of the three: the version's root
    std::string_view below{};            // of a service's path, what follows its name: "" or "/…", as written
    bool openapi = false;                // or its openapi.json
    bool at_root = false;                // the path names no version
    bool negotiated = false;             // the version has several schemas, or the request named one
    // Keeps `function` when the version shows none of that name: it then has no overloads, and what the call lacks is said
    // once its arguments are known.
    std::shared_ptr<const ApiFunction> unknown_function{};

    // What stands before a resource's name in the path: "/v1", or nothing.
    [[nodiscard]] std::string base() const { return at_root ? std::string() : "/" + api->version(); }
};

using Versions = std::vector<std::shared_ptr<const ApiCatalog>>;

// Path → version and resource or function. `profile` chooses between several schemas of a version; empty: the first. Fails with
// no_such_version, version_is_gone (410, after the sunset), unacceptable_schema (406), no_relation (404 with a suggestion) or
// bad_query (bad percent-encoding). Methods are not looked at.
[[nodiscard]] Result<Match> match(const Versions& versions, std::string_view path, std::string_view profile, WallTime now);

// Deprecation (RFC 9745), Sunset (RFC 8594) and Link rel="successor-version" of a version; nothing when it is current.
void add_version_headers(const RouteTable& table, message::HeaderBlock& headers);

// A first route table for a schema, as `millrace init` writes it.
[[nodiscard]] std::string first_route_table(const catalog::Catalog& catalog, const std::string& schema);

}  // namespace millrace::routes
