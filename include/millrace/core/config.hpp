// Settings of a process: each one stands once in a table (name, field, bounds, help) from which the reader of files, the
// environment, the printed documentation and the JSON Schema are made. Defaults < file < environment < flag.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::config {

struct Listen {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system chooses, the log line says which
};

struct HttpSettings {
    std::uint64_t head_bytes_max = 16 * 1024;
    std::uint64_t headers_max = 100;
    std::uint64_t target_bytes_max = 8 * 1024;
    std::uint64_t body_bytes_max = 1024 * 1024;
    std::uint64_t head_timeout_ms = 10'000;
    std::uint64_t body_timeout_ms = 30'000;
    std::uint64_t upload_bytes_per_s_min = 8 * 1024;
    std::uint64_t idle_timeout_ms = 75'000;
    std::uint64_t write_timeout_ms = 30'000;
    std::uint64_t stream_bytes_min = 256 * 1024;
    std::uint64_t connections_max = 10'000;  // per worker
};

struct DatabaseSettings {
    std::string url;
    std::string standby_url;            // where reads of routes may go that say so; empty: nowhere
    std::string replication_url;        // of a role with REPLICATION; empty: url
    std::string anonymous_role;         // empty: the login role itself
    std::uint64_t fast_lanes = 2;       // per worker
    std::uint64_t slow_lanes = 4;       // per worker
    std::uint64_t lane_depth_max = 64;  // requests in flight on one fast lane
    std::uint64_t queue_max = 1024;     // requests waiting per worker and class; limits.queue_target_ms bounds their time
    std::uint64_t statement_timeout_ms = 10'000;
    std::uint64_t statements_max = 256;  // prepared per lane
    std::uint64_t rows_max = 0;          // db-max-rows; 0: no limit
    std::uint64_t connect_timeout_ms = 5'000;
};

struct RedisSettings {
    std::string url;  // one of the forms in docs/operations.md; empty: no shared cache
    std::string key_prefix = "millrace";
    std::uint64_t budget_ms = 5;              // per request; then the database
    std::string tls_ca_file;                  // empty: whom the system trusts
    std::string tls_cert_file, tls_key_file;  // who we are; empty: nobody asks
    std::string tls_server_name;              // empty: the host of the URL
    std::string sentinel_user, sentinel_password;
};

struct CacheSettings {
    std::uint64_t memory_bytes_max = 64 * 1024 * 1024;  // per worker
    std::uint64_t entry_bytes_max = 1024 * 1024;
    std::uint64_t lag_limit_ms = 5'000;    // beyond it the replica is unfenced
    std::uint64_t catalog_poll_ms = 5000;  // 0: only what Postgres tells by itself
    std::uint64_t heartbeat_ms = 1'000;
    std::uint64_t compress_bytes_min = 1'024;       // 0: no compressed variants
    std::uint64_t compress_best_bytes_min = 8'192;  // from here on zstd and br too
    std::uint64_t gzip_level = 6, zstd_level = 6, brotli_level = 5;
    bool status_key = false;                // Cache-Status names the key
    std::uint64_t fill_wait_ms = 2'000;     // for another's read of the same answer
    std::uint64_t lease_ms = 2'000;         // how long one replica may read for all; 0: no leases
    std::uint64_t hit_for_miss_ms = 1'000;  // how long what proved not to be kept is remembered
    std::uint64_t refreshes_max = 16;       // in the background, per worker
    bool early_refresh = true;
    std::uint64_t check_per_million = 100;         // of the hits are read again and compared
    std::string invalidation_source = "triggers";  // decoding
    std::string slot = "millrace";                 // of decoding
};

struct LimitSettings {
    std::uint64_t requests_in_flight_max = 1024;  // per worker
    std::uint64_t deadline_ms = 15'000;
    std::uint64_t rate_per_s = 0;             // per client address and worker; 0: none
    std::uint64_t rate_burst = 0;             // 0: as many as rate_per_s
    std::vector<std::string> rules;           // core/rate: "100/second burst 200 by ip"
    std::vector<std::string> plans;           // of API keys and claims: "free: 60/minute by key"
    std::uint64_t lease_tokens_max = 16;      // that a worker takes from Redis at once
    std::uint64_t rate_keys_max = 100'000;    // remembered per worker
    bool adaptive = true;                     // concurrency follows the measured latency
    std::uint64_t concurrency_min = 4;        // per worker; adaptive never goes below
    std::uint64_t queue_target_ms = 50;       // longer waits than this are shed, the newest first
    std::uint64_t retry_budget_percent = 10;  // retries, of requests
    std::uint64_t breaker_failures_max = 5;   // in a row
    std::uint64_t breaker_open_ms = 1'000;    // then one probe
    std::uint64_t filters_max = 200;          // of one request
    std::uint64_t embeds_max = 64;
    std::uint64_t select_depth_max = 16;  // embeds within embeds
    std::uint64_t answer_bytes_max = 0;   // 0: no limit
    std::uint64_t cost_max = 0;           // of a read, as EXPLAIN estimates it; 0: not asked
};

struct ProxySettings {
    std::vector<std::string> trusted;   // addresses and networks whose Forwarded and X-Forwarded-For are believed
    std::vector<std::string> protocol;  // those whose connections begin with a PROXY header
};

struct TlsSettings {
    std::string cert_file, key_file;              // of the API; empty: no TLS
    std::string admin_cert_file, admin_key_file;  // of the admin listener
    std::string admin_client_ca_file;             // who may vouch for its clients; empty: none is asked
};

struct IdempotencySettings {
    std::uint64_t keep_s = 86'400;
    std::uint64_t answer_bytes_max = 1024 * 1024;
};

struct BatchSettings {
    std::uint64_t operations_max = 0;  // 0: no batches
};

struct LogSettings {
    std::string level = "info";  // trace debug info warn error off
    bool access = true;
    std::uint64_t access_sample_percent = 100;  // errors are always written
    bool audit = false;                         // a line for each write and each denied request
};

struct AuthSettings {
    bool anonymous = true;   // requests without a token are served
    std::string jwt_secret;  // HS secret, JWK or JWKS
    bool jwt_secret_is_base64 = false;
    std::string jwt_audience;
    std::string jwt_role_claim = ".role";
    std::uint64_t jwt_cache_entries = 1000;   // per worker; 0: each token is verified each time
    std::vector<std::string> jwt_algorithms;  // that may be used; empty: all that the keys fit
    std::string jwks_url;                     // keys besides those of jwt_secret
    std::uint64_t jwks_refresh_ms = 300'000;
    std::string scope_claim = "scope";             // RFC 8693 §4.2
    std::string plan_claim;                        // which plan of limits is the bearer's
    bool api_keys = false;                         // millrace.api_keys is asked
    std::uint64_t api_key_cache_entries = 10'000;  // per worker
    std::string admin_token;                       // of the admin listener; empty: none is asked
};

// How the dialect answers, besides what route tables say. Each stands for a setting of PostgREST ("Configuration").
struct ApiSettings {
    std::vector<std::string> extra_search_path{"public"};
    std::vector<std::string> app_settings;  // "app.settings.name=value"
    std::vector<std::string> hoisted_settings{"statement_timeout", "plan_filter.statement_cost_limit",
                                              "default_transaction_isolation"};
    std::string pre_request;                 // schema.function, or function
    std::string transaction_end = "commit";  // or rollback; -allow-override: Prefer: tx= decides
    bool aggregates = false;
    bool plan = false;
    bool legacy_target_names = true;
    std::string openapi_mode = "follow-privileges";  // ignore-privileges, disabled
    bool openapi_security = false;
    std::string openapi_server_url;
    std::string root_function;  // schema.function, or function: answers the version's root
    std::vector<std::string> cors_origins;
    bool server_timing = false;
    std::string trace_header;
    std::string error_verbosity = "verbose";  // minimal
    bool security_headers = true;
};

struct DrainSettings {
    std::uint64_t pause_ms = 0;          // readiness fails, traffic still served
    std::uint64_t deadline_ms = 30'000;  // then what is left is cut
};

struct Settings {
    Listen listen{"127.0.0.1", 8080};
    Listen admin{"127.0.0.1", 9090};
    std::uint64_t workers = 0;  // 0: one per core
    HttpSettings http;
    DatabaseSettings database;
    RedisSettings redis;
    CacheSettings cache;
    LimitSettings limits;
    LogSettings log;
    AuthSettings auth;
    ApiSettings api;
    DrainSettings drain;
    ProxySettings proxies;
    TlsSettings tls;
    IdempotencySettings idempotency;
    BatchSettings batch;
    std::vector<std::string> only;    // routes that this process serves: "products", "v2/orders"; empty: all
    std::vector<std::string> routes;  // paths of route tables, relative to the configuration file
};

// One line for the person who must mend it: file, place in it, what is wrong, and what was perhaps meant.
struct Problem {
    std::string file;  // or "environment"
    std::string path;  // JSON pointer, or the variable's name
    std::string message;
    std::string suggestion;  // may be empty
};
[[nodiscard]] std::string to_line(const Problem& problem);

struct Loaded {
    Settings settings;
    std::vector<Problem> problems;  // empty when it may be used
};

using Environment = std::map<std::string, std::string>;                               // MILLRACE_… only
using Flags = std::map<std::string, std::string>;                                     // without dashes: {"database-url", "…"}
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;  // for secrets: NAME_FILE and *_file keys

// `text` is the file's content (JSON with comments), `file` its name for messages; `text` may be empty when there is no file.
// Every setting is also MILLRACE_<SECTION>_<NAME> and --<section>-<name>; a secret (database.url, redis.url,
// redis.sentinel_password, auth.jwt_secret, auth.admin_token) also comes from a file: key "<name>_file", variable
// "MILLRACE_…_FILE" or --…-file. Never throws. `base` stands where nothing else is said.
[[nodiscard]] Loaded load(std::string_view text, const std::string& file, const Environment& environment,
                          const ReadFile& read_file, const Flags& flags = {}, Settings base = {});

[[nodiscard]] std::string masked_json(const Settings& settings);  // secrets as "***", passwords in URLs too
[[nodiscard]] std::string documentation();                        // docs/configuration.md
[[nodiscard]] std::string json_schema();                          // config/millrace.schema.json

}  // namespace millrace::config
