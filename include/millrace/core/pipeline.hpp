// The pure middle of a request's life: prepare decides what must be done, finish turns what came back into the reply.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/core/auth.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/message.hpp"
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

struct CachePlan {
    std::string key;
    std::vector<cache::Tag> tags;
    routes::CachePolicy policy;
};

// A request prepared: the statements to run and how their rows become a reply. Immutable, so it can be remembered and shared.
struct Work {
    std::shared_ptr<const Snapshot> snapshot;  // keeps version and resource alive
    const routes::ApiCatalog* api = nullptr;
    const routes::Resource* resource = nullptr;
    sql::Script script;
    reply::Shape shape;
    std::optional<CachePlan> cache;       // only of reads that may be cached
    std::vector<cache::Tag> invalidates;  // of writes
    routes::RouteClass route_class = routes::RouteClass::automatic;
    bool authenticated = false;
};

// Ready: an answer that needs no database (OPTIONS).
using Prepared = std::variant<std::shared_ptr<const Work>, message::Reply>;

struct Failure {
    Error error;
    const routes::ApiCatalog* api = nullptr;  // when a version was found: its headers go onto the error as well
    const routes::Resource* resource = nullptr;
};

// Which resource is asked for, before body and dialect are looked at: for limits and labels.
[[nodiscard]] Result<routes::Match> find_route(const Snapshot& snapshot, const message::Request& request, WallTime now);

[[nodiscard]] Result<Prepared> prepare(std::shared_ptr<const Snapshot> snapshot, const routes::Match& match,
                                       const auth::Identity& identity, const message::Request& request);

// Rows → reply with version and caching headers (ETag, Cache-Control, Vary) of the route.
[[nodiscard]] Result<message::Reply> finish(const Work& work, const sql::Results& results);

// A reply of finish as an entry of the cache, when it is one that may be stored; `now` is when the read began.
[[nodiscard]] std::optional<cache::Entry> to_entry(const Work& work, const sql::Results& results, const message::Reply& reply,
                                                   const cache::PgSnapshot& fallback, WallTime now);
// An entry as a reply: 304 when If-None-Match says so, with Age.
[[nodiscard]] message::Reply from_entry(const cache::Entry& entry, const message::Request& request, WallTime now);

}  // namespace millrace::pipeline
