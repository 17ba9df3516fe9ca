// The pure middle of a request's life: prepare decides what must be done, finish turns what came back into the reply.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/core/auth.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/idempotency.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/openapi.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

// What the process serves: settings, route tables and catalog as one immutable value, handed to each worker whole on reload.
struct Snapshot {
    config::Settings settings;
    std::shared_ptr<const catalog::Catalog> catalog;  // nothing while Postgres was never there
    routes::Versions versions;
    std::shared_ptr<const auth::Keys> keys;
    std::uint64_t fingerprint = 0;
};

// A text of a shape in which the values of one request are still to be written, in this order, where a mark stands.
struct Template {
    std::string text;
    std::vector<std::size_t> order;
};

struct CachePlan {
    std::string key;  // of the shape; cache_key() makes it a request's
    std::vector<std::size_t> value_order;
    std::vector<fence::Tag> tags;  // that do not depend on the request's values; sorted
    routes::CachePolicy policy;
    bool fenced = true;  // somebody tells of changes; else it is kept by its time alone, and no snapshot is asked for
    // Of a read by full primary key: the tables that have the row (its own, and those it is a partition of), and the key.
    struct KeyValue {
        const catalog::Column* column = nullptr;
        std::string text{};                // as written
        std::optional<std::size_t> value;  // of a shape: which of the request's values it is
    };
    std::vector<fence::Tag> row_of{};
    std::vector<KeyValue> row_key{};
};

// The key of one request of a shape.
[[nodiscard]] std::string cache_key(const CachePlan& plan, std::span<const std::string> values);

// What one request's answer depends on, sorted: one row where the triggers tell of rows, tables, its version and route.
[[nodiscard]] std::vector<fence::Tag> entry_tags(const CachePlan& plan, std::span<const std::string> values);

// The condition that a write makes (If-Match, If-None-Match): before it writes, the script locks the rows and reads what a GET
// of the same URL would answer; the verdict compares.
struct Guard {
    sql::Script script;  // of that read alone
    reply::Shape shape;
    std::size_t read = 0;  // its statement in the work's script
    std::string if_match, if_none_match;
};

// A request prepared: the statements to run and how their rows become a reply. Immutable, so it can be remembered and shared.
struct Work {
    std::shared_ptr<const Snapshot> snapshot;  // keeps version and resource alive
    const routes::ApiCatalog* api = nullptr;
    const routes::Resource* resource = nullptr;
    // Instead of rows: the version itself.
    struct Describing {
        openapi::Format format = openapi::Format::swagger;
        openapi::Options options;
        openapi::Server server;
        auth::Identity caller;
    };
    std::optional<Describing> describing{};
    bool allowing = false;                          // instead of rows: the methods that the caller may use (OPTIONS)
    const routes::ApiFunction* function = nullptr;  // of a call; then the resource is that of its rows
    sql::Script script;
    reply::Shape shape;
    Template location;                    // of a read: its canonical URL, for Content-Location (RFC 9110 §8.7)
    std::optional<CachePlan> cache;       // only of reads that may be cached
    std::vector<fence::Tag> invalidates;  // of writes: the tables that they write to
    std::shared_ptr<const Guard> guard;   // of writes with a condition
    // Of writes with an Idempotency-Key: how the answer is kept, and as which role the transaction ends.
    struct Kept {
        idempotency::Key key;
        std::string role;
    };
    std::optional<Kept> kept{};
    std::string groups;          // of Cache-Groups, or of a write of Cache-Group-Invalidation
    std::string surrogate_keys;  // of Surrogate-Key
    // The same work for a standby, where the route allows it: its answer counts if its snapshot still holds for these tags.
    std::shared_ptr<const Work> on_standby{};
    std::vector<fence::Tag> standby_tags{};
    std::shared_ptr<const sql::Script> estimate{};  // of a read on a route with cost_max: EXPLAIN of the same
    routes::RouteClass route_class = routes::RouteClass::automatic;
    bool authenticated = false;
    bool safe = true;          // GET and HEAD
    bool streams = false;      // a large body may be sent while its rows come
    bool negotiated = false;   // the answer says which schema it is of
    bool by_full_key = false;  // a read of one row at most
    bool repeatable = false;   // nothing of the one request is in it but what its remember key says

    // Those of the route that was asked for.
    [[nodiscard]] const routes::ResolvedPolicies& policies() const {
        return function == nullptr ? resource->policies : function->policies;
    }
};

// Work for the database, or an answer that needs none (OPTIONS).
using Prepared = std::variant<std::shared_ptr<const Work>, message::Reply>;

// Which resource is asked for, before body and dialect are looked at: for limits and labels. Fails with catalog_unavailable
// while there is no catalog.
[[nodiscard]] Result<routes::Match> find_route(const Snapshot& snapshot, const message::Request& request, WallTime now);

// The gate: may this caller use a route with these policies? Fails with anonymous_disabled, auth_required or
// insufficient_scope (RFC 6750 §3).
[[nodiscard]] Result<void> admit(const auth::Identity& identity, const routes::ResolvedPolicies& policies,
                                 const config::AuthSettings& settings);
[[nodiscard]] Result<void> admit_to_version(const auth::Identity& identity, const routes::ApiCatalog& api,
                                            const config::AuthSettings& settings);  // to its root
// Names that a version does not show are refused as its most guarded route is, so that a refusal tells nothing of what is
// there.
[[nodiscard]] Result<void> admit_to_unknown(const auth::Identity& identity, const routes::ApiCatalog& api,
                                            const config::AuthSettings& settings);
// What find_route() failed with, as this caller may hear it.
[[nodiscard]] Error unfound(Error why, const auth::Identity& identity, const Snapshot& snapshot, std::string_view path);

[[nodiscard]] Result<Prepared> prepare(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                       const auth::Identity& identity, const message::Request& request);

// Requests whose bytes alone tell what they mean: anonymous reads. Repeatable work of such a request may be remembered under
// this key, for one snapshot. Plain values of filters ("id=eq.42") are taken out of the key into `values`: requests that
// differ in those alone have one shape and share its work.
[[nodiscard]] bool rememberable(const message::Request& request, const auth::Identity& identity);
void append_remember_key(std::string& out, const message::Request& request, std::vector<std::string>& values);

// The same for who has a token: the request and its caller. Works of one such key differ in their statements, which name more
// of the request, and never in their cache's key.
[[nodiscard]] bool has_caller_key(const message::Request& request, const auth::Identity& identity);
void append_caller_key(std::string& out, const message::Request& request, const auth::Identity& identity);

// The work of a shape, for a request with values. Nothing when it cannot be shared, or when the request is wrong: then
// prepare() tells.
[[nodiscard]] std::shared_ptr<const Work> prepare_shape(const std::shared_ptr<const Snapshot>& snapshot,
                                                        const routes::Match& match, const auth::Identity& identity,
                                                        const message::Request& request);

// What the transaction said of its answer (PostgREST, "Transaction-Scoped Settings": response.headers, response.status);
// `outcome` is the row of Script::outcome. Fails with bad_response_headers or bad_response_status.
[[nodiscard]] Result<void> apply_outcome(const sql::Rows& outcome, message::Reply& reply);

// What the transaction changed: what its triggers told (millrace.invalidated), else the tables that the work writes to. Nothing
// when it changed nothing.
[[nodiscard]] std::optional<fence::Invalidation> own_invalidation(const Work& work, const sql::Rows& outcome);

// What Postgres answered to Work::estimate; nothing when that is no plan.
[[nodiscard]] std::optional<double> estimated_cost(const Work& work, const sql::Results& results);
// Fails with too_costly.
[[nodiscard]] Result<void> check_cost(const Work& work, double cost);

// Rows → reply, with the route's caching headers (ETag, Cache-Control, Vary) and its version's.
[[nodiscard]] Result<message::Reply> finish(const Work& work, const sql::Results& results,
                                            std::span<const std::string> values = {});

// Of a read whose body is longer than the route's answer_bytes_max, which finish() fails with.
[[nodiscard]] Error answer_too_large(const Work& work);

// The same while the rows still come, when the body may be written that way (reply::row_writer): the reply without its body.
[[nodiscard]] Result<message::Reply> begin(const Work& work, const sql::Results& results,
                                           std::span<const std::string> values = {});

// What a standby said of itself before it answered: nothing when it is none.
struct StandbyState {
    fence::PgSnapshot snapshot;
    std::string_view system_identifier;
    std::uint32_t timeline = 0;
};
[[nodiscard]] std::optional<StandbyState> standby_state(const sql::Script& script, const sql::Results& results);

// A reply of finish as an entry of the cache, when it may be stored. `fallback` is a snapshot taken before the read began, for
// answers without rows, which bring none; `began` is when the read began. They share the body.
[[nodiscard]] std::optional<cache::Entry> to_entry(const Work& work, const sql::Results& results, message::Reply& reply,
                                                   const fence::PgSnapshot& fallback, WallTime began,
                                                   std::span<const std::string> values = {});

// An entry as a reply, with Age (RFC 9111 §5.1); with the body of a variant when there is one.
[[nodiscard]] message::Reply from_entry(const cache::Entry& entry, WallTime now, const cache::Variant* variant = nullptr);

// The codings that a body of so many bytes may be kept in, the smallest last.
[[nodiscard]] std::span<const coding::Coding> codings_for(std::size_t bytes, const config::CacheSettings& settings);
// Does the entry let its body be encoded? Not when the database has done it, or says that nobody may.
[[nodiscard]] bool may_be_encoded(const cache::Entry& entry);
[[nodiscard]] coding::Levels coding_levels(const config::CacheSettings& settings);
// `body`: the entry's in that coding; nothing when it would not become smaller, so that it need not be tried again.
[[nodiscard]] cache::Variant make_variant(const cache::Entry& entry, coding::Coding coding, std::optional<std::string> body);

// Answers to GET and HEAD by what the client has: 304 when If-None-Match names the reply (RFC 9110 §13.1.2, §15.4.5); fails
// with precondition_failed when If-Match does not.
[[nodiscard]] Result<void> apply_conditions(const message::Request& request, message::Reply& reply);

// What Varnish can hand on: it takes a Content-Range for one of bytes, and fails. docs/fronts.md.
void suit_front(const message::Request& request, message::Reply& reply);

// Looks at the results of a write before they are committed, where something of them may be wrong: what reply::verdict looks
// at, and the condition that the request makes.
[[nodiscard]] std::optional<sql::Closing> closing(const Work& work);

// The same for a write whose answer is kept: it is made before the commit, and is then in `reply`.
[[nodiscard]] sql::Closing keeping(const Work& work, message::Reply& reply);

// What the request says of caches, where the route lets it.
struct ClientDirectives {
    bool no_cache = false, no_store = false, only_if_cached = false;
    std::optional<Duration> max_age, max_stale;  // max_stale without a value: Duration::max()
    Duration min_fresh{};

    // May this entry answer, fresh as it is? max_stale is not looked at: it widens what a route allows of stale entries.
    [[nodiscard]] bool accept(const cache::Entry& entry, WallTime now) const;
};
[[nodiscard]] ClientDirectives client_directives(const message::Request& request);

}  // namespace millrace::pipeline
