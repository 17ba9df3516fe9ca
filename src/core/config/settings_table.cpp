// Says which settings there are: each once, with its field, its bounds and the sentence that explains it.
#include <algorithm>

#include "setting.hpp"

namespace millrace::config {
namespace {

template <auto Member>
auto& top(Settings& settings) {
    return settings.*Member;
}
template <auto Part, auto Member>
auto& in(Settings& settings) {
    return settings.*Part.*Member;
}
template <auto Member>
constexpr auto http = &in<&Settings::http, Member>;
template <auto Member>
constexpr auto database = &in<&Settings::database, Member>;
template <auto Member>
constexpr auto redis = &in<&Settings::redis, Member>;
template <auto Member>
constexpr auto cache = &in<&Settings::cache, Member>;
template <auto Member>
constexpr auto limits = &in<&Settings::limits, Member>;
template <auto Member>
constexpr auto log = &in<&Settings::log, Member>;
template <auto Member>
constexpr auto auth = &in<&Settings::auth, Member>;
template <auto Member>
constexpr auto api = &in<&Settings::api, Member>;
template <auto Member>
constexpr auto drain = &in<&Settings::drain, Member>;
template <auto Member>
constexpr auto proxies = &in<&Settings::proxies, Member>;
template <auto Member>
constexpr auto tls = &in<&Settings::tls, Member>;
template <auto Member>
constexpr auto idempotency = &in<&Settings::idempotency, Member>;
template <auto Member>
constexpr auto batch = &in<&Settings::batch, Member>;

constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;
constexpr std::uint64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;
constexpr Bounds any_text{0, 4096};
constexpr Bounds a_timeout{1, hour_ms};

constexpr std::string_view levels[] = {"trace", "debug", "info", "warn", "error", "off"};

constexpr std::string_view sources[] = {"triggers", "decoding"};
constexpr std::string_view ends[] = {"commit", "commit-allow-override", "rollback", "rollback-allow-override"};
constexpr std::string_view openapi_modes[] = {"follow-privileges", "ignore-privileges", "disabled"};
constexpr std::string_view verbosities[] = {"verbose", "minimal"};

constexpr Section sections[] = {
    {"", "Where the process listens, how wide it runs and what it serves."},
    {"http", "What a client may send and how long it may take; beyond these a request is refused and its connection closed."},
    {"database", "The Postgres that is served, and how many connections each worker keeps to it."},
    {"redis", "The shared cache; without a url each process caches for itself alone."},
    {"cache", "The cache inside the process and the fence that keeps every cache honest."},
    {"limits", "What the process takes on before it says 503 or 429."},
    {"log", "The JSON lines on standard output."},
    {"auth", "How bearer tokens and API keys are verified."},
    {"api", "How the dialect answers, besides what route tables say; each stands for a setting of PostgREST."},
    {"drain", "How the process leaves after SIGTERM."},
    {"proxies", "Whom to believe about the address of a client."},
    {"tls", "Encryption of the two listeners; certificates and keys are PEM files that are read again on SIGHUP."},
    {"idempotency", "Writes that carry an Idempotency-Key."},
    {"batch", "Many operations in one transaction."},
};

// Two lines a row: what it is, and what it means.
// clang-format off
const Setting settings[] = {
    {"", "listen", &top<&Settings::listen>, {}, "",
     "Where the API listens: `address:port`, `[address]:port` or `:port` for every IPv4 address; port 0 lets the system "
     "choose."},
    {"", "admin", &top<&Settings::admin>, {}, "",
     "Where `/metrics`, `/livez`, `/readyz` and `/config` listen; keep it away from the public network."},
    {"", "workers", &top<&Settings::workers>, {0, 256}, "threads",
     "Threads that serve requests; 0 means one per core."},
    {"", "routes", &top<&Settings::routes>, {0, 64}, "files",
     "Route tables, one file a version, relative to the configuration file."},
    {"", "only", &top<&Settings::only>, {0, 1'000}, "routes",
     "Routes that this process serves, as `products`, `rpc/total` or `v2/products`; empty means all. Others are 404 here."},

    {"http", "head_bytes_max", http<&HttpSettings::head_bytes_max>, {KiB, MiB}, "bytes",
     "Longest request head: request line and header fields together."},
    {"http", "headers_max", http<&HttpSettings::headers_max>, {4, 10'000}, "fields",
     "Most header fields of a request."},
    {"http", "target_bytes_max", http<&HttpSettings::target_bytes_max>, {128, MiB}, "bytes",
     "Longest request target: path and query together."},
    {"http", "body_bytes_max", http<&HttpSettings::body_bytes_max>, {0, GiB}, "bytes",
     "Longest request body, unless the route says otherwise."},
    {"http", "head_timeout_ms", http<&HttpSettings::head_timeout_ms>, a_timeout, "ms",
     "Time for a request head to arrive, from its first byte."},
    {"http", "body_timeout_ms", http<&HttpSettings::body_timeout_ms>, a_timeout, "ms",
     "Time for a request body to arrive; of one that goes on to a service as it comes, for each piece of it."},
    {"http", "upload_bytes_per_s_min", http<&HttpSettings::upload_bytes_per_s_min>, {1, GiB}, "bytes",
     "A body that goes on to a service as it comes moves the request's deadline on: by a second for so many bytes of it."},
    {"http", "idle_timeout_ms", http<&HttpSettings::idle_timeout_ms>, a_timeout, "ms",
     "Time that a connection may wait for its next request; keep it longer than the load balancer's."},
    {"http", "write_timeout_ms", http<&HttpSettings::write_timeout_ms>, a_timeout, "ms",
     "Time for a client to take an answer."},
    {"http", "stream_bytes_min", http<&HttpSettings::stream_bytes_min>, {KiB, GiB}, "bytes",
     "Rows of a slow read that are kept before its answer begins, and the body of a request that is kept before a service gets "
     "it; what is larger is sent while it comes."},
    {"http", "connections_max", http<&HttpSettings::connections_max>, {1, 1'000'000}, "connections per worker",
     "Most open client connections."},

    {"database", "url", database<&DatabaseSettings::url>, any_text, "",
     "Postgres, as libpq takes it: `postgresql://user:password@host:5432/name`.", Secrecy::url},
    {"database", "standby_url", database<&DatabaseSettings::standby_url>, any_text, "",
     "Standbys of that Postgres, for GET and HEAD of routes that say `\"reads\": \"standby\"`; several hosts and "
     "`target_session_attrs` as libpq takes them. Empty: all is read from `url`.", Secrecy::url},
    {"database", "replication_url", database<&DatabaseSettings::replication_url>, any_text, "",
     "The same Postgres as a role that may use replication slots, for `cache.invalidation_source` decoding; empty means `url`.",
     Secrecy::url},
    {"database", "anonymous_role", database<&DatabaseSettings::anonymous_role>, {0, 63}, "",
     "Role of requests without a token; empty means the login role itself."},
    {"database", "fast_lanes", database<&DatabaseSettings::fast_lanes>, {1, 64}, "connections per worker",
     "Pipelined connections for statements that are known to be quick."},
    {"database", "slow_lanes", database<&DatabaseSettings::slow_lanes>, {1, 256}, "connections per worker",
     "Connections for writes, functions and statements that are slow or unknown, one request at a time on each."},
    {"database", "lane_depth_max", database<&DatabaseSettings::lane_depth_max>, {1, 4096}, "requests",
     "Most requests in flight on one fast lane."},
    {"database", "queue_max", database<&DatabaseSettings::queue_max>, {0, 100'000}, "requests per worker and class",
     "Most requests that wait for a lane; beyond it the answer is 503 at once."},
    {"database", "statement_timeout_ms", database<&DatabaseSettings::statement_timeout_ms>, a_timeout, "ms",
     "Longest that a statement may run before it is cancelled."},
    {"database", "statements_max", database<&DatabaseSettings::statements_max>, {1, 10'000}, "statements per lane",
     "Prepared statements that are kept; the least recently used goes first."},
    {"database", "rows_max", database<&DatabaseSettings::rows_max>, {0, 1'000'000'000}, "rows",
     "Most rows of an answer; 0 means no limit."},
    {"database", "connect_timeout_ms", database<&DatabaseSettings::connect_timeout_ms>, a_timeout, "ms",
     "Time for a connection to Postgres to stand."},

    {"redis", "url", redis<&RedisSettings::url>, any_text, "",
     "`redis://[[user]:password@]host[:port][/db]`, `unix:///path`, `redis+sentinel://…host:26379,host:26379/service[/db]` or "
     "`redis+cluster://…host:port,host:port`; `rediss` encrypts; empty means no shared cache.", Secrecy::url},
    {"redis", "key_prefix", redis<&RedisSettings::key_prefix>, {1, 64}, "",
     "What every key starts with: one prefix for each deployment that shares a Redis."},
    {"redis", "budget_ms", redis<&RedisSettings::budget_ms>, {1, 1'000}, "ms",
     "What one request may spend on Redis before it goes to the database."},
    {"redis", "tls_ca_file", redis<&RedisSettings::tls_ca_file>, any_text, "",
     "Certificates (PEM) of the authorities that may vouch for a Redis behind `rediss`; empty means those that the system "
     "trusts."},
    {"redis", "tls_cert_file", redis<&RedisSettings::tls_cert_file>, any_text, "",
     "Our own certificate (PEM, with what leads to its authority), for a Redis that asks who we are."},
    {"redis", "tls_key_file", redis<&RedisSettings::tls_key_file>, any_text, "",
     "The key (PEM) of our own certificate."},
    {"redis", "tls_server_name", redis<&RedisSettings::tls_server_name>, {0, 253}, "",
     "The name that the certificate of every Redis must prove; empty means the host that we connect to."},
    {"redis", "sentinel_user", redis<&RedisSettings::sentinel_user>, {0, 256}, "",
     "ACL user at the sentinels; the one in the URL is for the Redis that they watch."},
    {"redis", "sentinel_password", redis<&RedisSettings::sentinel_password>, {0, 4096}, "",
     "Password at the sentinels; empty means that they ask for none.", Secrecy::whole},

    {"cache", "memory_bytes_max", cache<&CacheSettings::memory_bytes_max>, {0, 64 * GiB}, "bytes per worker",
     "Memory for answers inside the process; 0 keeps none."},
    {"cache", "entry_bytes_max", cache<&CacheSettings::entry_bytes_max>, {KiB, 64 * MiB}, "bytes",
     "Longest answer that is cached."},
    {"cache", "lag_limit_ms", cache<&CacheSettings::lag_limit_ms>, {100, minute_ms}, "ms",
     "For how long the invalidation channel is trusted after it was proved to be current; no cached answer is older."},
    {"cache", "catalog_poll_ms", cache<&CacheSettings::catalog_poll_ms>, {0, hour_ms}, "ms",
     "How often schema, privileges, roles and materialized views are looked at for changes that no event trigger tells of; 0: "
     "never."},
    {"cache", "heartbeat_ms", cache<&CacheSettings::heartbeat_ms>, {50, minute_ms}, "ms",
     "How often the invalidation channel is proved to live."},
    {"cache", "compress_bytes_min", cache<&CacheSettings::compress_bytes_min>, {0, 64 * MiB}, "bytes",
     "From which size on cached answers that are asked for again are kept compressed too (gzip); 0 means never."},
    {"cache", "compress_best_bytes_min", cache<&CacheSettings::compress_best_bytes_min>, {0, 64 * MiB}, "bytes",
     "From which size on they are kept in zstd and Brotli as well, for clients that take those."},
    {"cache", "gzip_level", cache<&CacheSettings::gzip_level>, {1, 9}, "", "Effort of gzip."},
    {"cache", "zstd_level", cache<&CacheSettings::zstd_level>, {1, 19}, "", "Effort of zstd."},
    {"cache", "brotli_level", cache<&CacheSettings::brotli_level>, {0, 11}, "", "Effort of Brotli; from 10 on it takes very long."},
    {"cache", "status_key", cache<&CacheSettings::status_key>, {}, "",
     "`Cache-Status` names the entry by a hash of its key, for finding out why two requests do not share one."},
    {"cache", "fill_wait_ms", cache<&CacheSettings::fill_wait_ms>, {0, minute_ms}, "ms",
     "Longest that a request waits for another one, here or in another replica, that reads the same answer."},
    {"cache", "lease_ms", cache<&CacheSettings::lease_ms>, {0, minute_ms}, "ms",
     "How long one replica may read an answer for all before another may; 0 means that each reads for itself."},
    {"cache", "hit_for_miss_ms", cache<&CacheSettings::hit_for_miss_ms>, {0, minute_ms}, "ms",
     "How long requests for what proved not to be kept (too large, an error) do not wait for each other."},
    {"cache", "refreshes_max", cache<&CacheSettings::refreshes_max>, {0, 1'000}, "reads per worker",
     "Most reads in the background that renew answers: those given stale, and those about to end; 0 means that none is."},
    {"cache", "early_refresh", cache<&CacheSettings::early_refresh>, {}, "",
     "Renew an answer that is asked for shortly before its time ends: the likelier the dearer it is to read."},
    {"cache", "check_per_million", cache<&CacheSettings::check_per_million>, {0, 1'000'000}, "of a million hits",
     "Hits that are read again in the background and compared, to prove that no answer is kept that no longer holds."},
    {"cache", "invalidation_source", cache<&CacheSettings::invalidation_source>, {0, 16}, "",
     "What tells that rows changed: statement triggers that NOTIFY, or logical decoding of the log.", Secrecy::open, sources},
    {"cache", "slot", cache<&CacheSettings::slot>, {1, 59}, "",
     "Replication slot of decoding, one for each database: lower case letters, digits and underscores."},

    {"limits", "requests_in_flight_max", limits<&LimitSettings::requests_in_flight_max>, {1, 100'000}, "requests per worker",
     "Most requests that are worked on; beyond it the answer is 503 at once."},
    {"limits", "deadline_ms", limits<&LimitSettings::deadline_ms>, a_timeout, "ms",
     "Longest that a request may take from its first byte to its answer."},
    {"limits", "rate_per_s", limits<&LimitSettings::rate_per_s>, {0, 1'000'000}, "requests per second",
     "Requests per client address and worker; 0 means no limit."},
    {"limits", "rate_burst", limits<&LimitSettings::rate_burst>, {0, 1'000'000}, "requests",
     "Requests that a quiet client may send at once; 0 means as many as rate_per_s."},
    {"limits", "rules", limits<&LimitSettings::rules>, {0, 64}, "rules",
     "Limits of all replicas together, for every route: `100/second burst 200 by ip`, `10000/day by key`."},
    {"limits", "plans", limits<&LimitSettings::plans>, {0, 256}, "rules",
     "Limits of those who have a plan, each as `name: rule`; a plan may have several."},
    {"limits", "lease_tokens_max", limits<&LimitSettings::lease_tokens_max>, {1, 10'000}, "tokens",
     "Most tokens of a limit that a worker takes from Redis at once, so that it need not ask for each request."},
    {"limits", "rate_keys_max", limits<&LimitSettings::rate_keys_max>, {100, 10'000'000}, "keys per worker",
     "Callers whose limits are remembered; the least recently seen is forgotten first."},
    {"limits", "adaptive", limits<&LimitSettings::adaptive>, {}, "",
     "How many requests the database is given at once follows its measured latency."},
    {"limits", "concurrency_min", limits<&LimitSettings::concurrency_min>, {1, 1'000}, "requests per worker",
     "What the adaptive limit never goes below."},
    {"limits", "queue_target_ms", limits<&LimitSettings::queue_target_ms>, {1, minute_ms}, "ms",
     "When requests wait longer than this for the database, the newest are refused with 503."},
    {"limits", "retry_budget_percent", limits<&LimitSettings::retry_budget_percent>, {0, 100}, "percent of requests",
     "Most attempts that may be made again."},
    {"limits", "breaker_failures_max", limits<&LimitSettings::breaker_failures_max>, {1, 1'000}, "failures in a row",
     "From how many on a backend is left alone."},
    {"limits", "breaker_open_ms", limits<&LimitSettings::breaker_open_ms>, a_timeout, "ms",
     "How long it is left alone before one request tries it."},
    {"limits", "filters_max", limits<&LimitSettings::filters_max>, {1, 10'000}, "filters",
     "Most conditions of one request, those inside `and` and `or` too."},
    {"limits", "embeds_max", limits<&LimitSettings::embeds_max>, {0, 1'000}, "embeds",
     "Most embedded resources of one request."},
    {"limits", "select_depth_max", limits<&LimitSettings::select_depth_max>, {1, 100}, "levels",
     "Most levels of embeds within embeds."},
    {"limits", "answer_bytes_max", limits<&LimitSettings::answer_bytes_max>, {0, 1024 * GiB}, "bytes",
     "Longest body of an answer; one that would be longer is refused, or cut off when it has begun. 0 means no limit."},
    {"limits", "cost_max", limits<&LimitSettings::cost_max>, {0, 1'000'000'000'000}, "planner's cost",
     "Reads of a new shape that Postgres estimates to cost more are refused; 0 means that it is not asked."},

    {"log", "level", log<&LogSettings::level>, {0, 8}, "",
     "Lines below this level are not written; it can change on reload.", Secrecy::open, levels},
    {"log", "access", log<&LogSettings::access>, {}, "",
     "Write a line for each request; answers of 500 and above are written in any case."},
    {"log", "access_sample_percent", log<&LogSettings::access_sample_percent>, {0, 100}, "percent",
     "Share of requests that get a line; answers of 500 and above always do."},
    {"log", "audit", log<&LogSettings::audit>, {}, "",
     "Write a line for each write and each denied request: who, what, and what came of it."},

    {"auth", "anonymous", auth<&AuthSettings::anonymous>, {}, "",
     "Serve requests without a token, as the anonymous role; else they are refused."},
    {"auth", "jwt_secret", auth<&AuthSettings::jwt_secret>, {0, 64 * KiB}, "",
     "Key of the tokens: an HS256 secret of at least 32 bytes, a JWK or a JWKS; empty means that tokens are refused.",
     Secrecy::whole},
    {"auth", "jwt_secret_is_base64", auth<&AuthSettings::jwt_secret_is_base64>, {}, "",
     "The secret is base64 and is decoded first."},
    {"auth", "jwt_audience", auth<&AuthSettings::jwt_audience>, any_text, "",
     "The `aud` that a token must carry; empty means any."},
    {"auth", "jwt_role_claim", auth<&AuthSettings::jwt_role_claim>, {1, 256}, "",
     "JSON path of the claim that names the role."},

    {"auth", "jwt_cache_entries", auth<&AuthSettings::jwt_cache_entries>, {0, 1'000'000}, "tokens per worker",
     "Verified tokens that are remembered until they expire; 0 means that each is verified each time."},
    {"auth", "jwt_algorithms", auth<&AuthSettings::jwt_algorithms>, {0, 16}, "algorithms",
     "Algorithms that tokens may be signed with, as `HS256` or `ES256`; empty means every one that the keys fit. `none` never."},
    {"auth", "jwks_url", auth<&AuthSettings::jwks_url>, any_text, "",
     "Where the keys of tokens are published (RFC 7517), `https://…`; read in the background, besides `jwt_secret`."},
    {"auth", "jwks_refresh_ms", auth<&AuthSettings::jwks_refresh_ms>, {1'000, hour_ms}, "ms",
     "How often they are read again; a token with an unknown `kid` asks for it at once, within bounds."},
    {"auth", "scope_claim", auth<&AuthSettings::scope_claim>, {1, 256}, "",
     "Claim that lists what a token is good for: a text with spaces, or a list."},
    {"auth", "plan_claim", auth<&AuthSettings::plan_claim>, {0, 256}, "",
     "Claim of a token that names its bearer's plan of `limits.plans`; API keys have theirs."},
    {"auth", "api_keys", auth<&AuthSettings::api_keys>, {}, "",
     "Take API keys, made by `millrace keys create`, as bearer tokens and in `apikey`."},
    {"auth", "api_key_cache_entries", auth<&AuthSettings::api_key_cache_entries>, {0, 1'000'000}, "keys per worker",
     "API keys that are remembered; one that is revoked is forgotten at once."},
    {"auth", "admin_token", auth<&AuthSettings::admin_token>, {0, 4096}, "",
     "Bearer token that the admin listener asks for, but for `/livez` and `/readyz`; empty means none.", Secrecy::whole},

    {"api", "extra_search_path", api<&ApiSettings::extra_search_path>, {0, 64}, "schemas",
     "Schemas that come after the version's own in each transaction's `search_path`; they are not exposed."},
    {"api", "app_settings", api<&ApiSettings::app_settings>, {0, 256}, "settings",
     "Settings that each transaction sees, as `app.settings.name=value`."},
    {"api", "hoisted_settings", api<&ApiSettings::hoisted_settings>, {0, 64}, "settings",
     "Settings of a function that hold for the whole transaction that calls it."},
    {"api", "pre_request", api<&ApiSettings::pre_request>, {0, 256}, "",
     "Function that each transaction calls after its role and settings are set: `schema.function`."},
    {"api", "transaction_end", api<&ApiSettings::transaction_end>, {0, 32}, "",
     "How transactions end; with `-allow-override` a request may say otherwise by `Prefer: tx=`.", Secrecy::open, ends},
    {"api", "aggregates", api<&ApiSettings::aggregates>, {}, "",
     "Allow `avg()`, `count()`, `max()`, `min()` and `sum()` in `select`."},
    {"api", "plan", api<&ApiSettings::plan>, {}, "",
     "Allow `Accept: application/vnd.pgrst.plan`, which shows how Postgres runs a request."},
    {"api", "legacy_target_names", api<&ApiSettings::legacy_target_names>, {}, "",
     "Filters on an embed may use its relation's name although it has an alias."},
    {"api", "openapi_mode", api<&ApiSettings::openapi_mode>, {0, 32}, "",
     "What OpenAPI describes: what the caller's role may use, everything, or nothing.", Secrecy::open, openapi_modes},
    {"api", "openapi_security", api<&ApiSettings::openapi_security>, {}, "",
     "OpenAPI says that a bearer token may be sent."},
    {"api", "openapi_server_url", api<&ApiSettings::openapi_server_url>, any_text, "",
     "URL that OpenAPI names as the server's; empty means the request's own."},
    {"api", "root_function", api<&ApiSettings::root_function>, {0, 256}, "",
     "Function whose result is the version's root instead of OpenAPI: `schema.function`."},
    {"api", "cors_origins", api<&ApiSettings::cors_origins>, {0, 256}, "origins",
     "Origins that browsers may call from; empty means every one."},
    {"api", "server_timing", api<&ApiSettings::server_timing>, {}, "",
     "Answers say in `Server-Timing` where their time went."},
    {"api", "trace_header", api<&ApiSettings::trace_header>, {0, 128}, "",
     "Header of a request that its answer repeats."},
    {"api", "error_verbosity", api<&ApiSettings::error_verbosity>, {0, 16}, "",
     "Whether errors carry details and hints.", Secrecy::open, verbosities},
    {"api", "security_headers", api<&ApiSettings::security_headers>, {}, "",
     "Answers tell browsers not to guess types, not to frame them and not to run anything in them."},

    {"drain", "pause_ms", drain<&DrainSettings::pause_ms>, {0, hour_ms}, "ms",
     "How long `/readyz` fails while traffic is still served, for load balancers to notice."},
    {"drain", "deadline_ms", drain<&DrainSettings::deadline_ms>, {0, hour_ms}, "ms",
     "How long requests in flight may take to finish; then they are cut."},

    {"proxies", "trusted", proxies<&ProxySettings::trusted>, {0, 256}, "networks",
     "Peers whose `Forwarded` or `X-Forwarded-For` is believed, as `10.0.0.0/8` or `::1`."},
    {"proxies", "protocol", proxies<&ProxySettings::protocol>, {0, 256}, "networks",
     "Peers whose connections begin with a PROXY header, version 1 or 2; theirs must."},

    {"tls", "cert_file", tls<&TlsSettings::cert_file>, any_text, "",
     "Certificate of the API, with what leads to its authority; empty means no TLS."},
    {"tls", "key_file", tls<&TlsSettings::key_file>, any_text, "",
     "Its key."},
    {"tls", "admin_cert_file", tls<&TlsSettings::admin_cert_file>, any_text, "",
     "Certificate of the admin listener; empty means no TLS there."},
    {"tls", "admin_key_file", tls<&TlsSettings::admin_key_file>, any_text, "",
     "Its key."},
    {"tls", "admin_client_ca_file", tls<&TlsSettings::admin_client_ca_file>, any_text, "",
     "Authorities, one of which must vouch for whoever connects to the admin listener; empty means that nobody is asked."},

    {"idempotency", "keep_s", idempotency<&IdempotencySettings::keep_s>, {60, 31'536'000}, "s",
     "How long the answer to an Idempotency-Key is kept."},
    {"idempotency", "answer_bytes_max", idempotency<&IdempotencySettings::answer_bytes_max>, {KiB, 64 * MiB}, "bytes",
     "Longest answer that is kept; a write whose answer would be longer is refused and undone."},

    {"batch", "operations_max", batch<&BatchSettings::operations_max>, {0, 1'000}, "operations",
     "Most operations of one `POST /<version>/batch`; 0 means that there are no batches."},
};
// clang-format on

std::string joined(const Setting& setting, char separator) {
    std::string out(setting.section);
    if (!out.empty()) out += separator;
    return out += setting.name;
}

std::string replaced(std::string text, char from, char to) {
    std::ranges::replace(text, from, to);
    return text;
}

}  // namespace

std::span<const Setting> settings_table() { return settings; }

std::span<const Section> sections_table() { return sections; }

const Setting* find_setting(std::string_view section, std::string_view name) {
    const auto* found =
        std::ranges::find_if(settings, [&](const Setting& s) { return s.section == section && s.name == name; });
    return found == std::end(settings) ? nullptr : found;
}

std::string pointer(const Setting& setting) { return "/" + joined(setting, '/'); }

std::string variable(const Setting& setting) {
    std::string name = "MILLRACE_" + joined(setting, '_');
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return name;
}

std::string flag(const Setting& setting) { return replaced(joined(setting, '-'), '_', '-'); }

}  // namespace millrace::config
