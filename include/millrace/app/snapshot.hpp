// From files and a catalog to the immutable Snapshot that workers serve. Loading blocks: never on a worker's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/core/auth.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::http {
class Tls;
}

namespace millrace::app {

// Of the listeners; nothing where one is plain.
struct Certificates {
    std::shared_ptr<const http::Tls> api, admin;
};

// Where a process's settings come from; the same each time they are read again.
struct Source {
    std::string file;  // config/millrace.json; of PostgREST's settings: their file, or nothing
    bool postgrest = false;
    config::Environment environment;                           // MILLRACE_…
    std::map<std::string, std::string> postgrest_environment;  // PGRST_…
    config::Flags flags;
};

// What the files say, with nothing of Postgres in it yet.
struct Files {
    config::Settings settings;
    std::vector<routes::RouteTable> tables;
    std::shared_ptr<const auth::Keys> keys;
    Certificates certificates;
    // Of the route tables' texts. It is part of every cache key, so that another lens never serves an older one's bytes.
    std::uint64_t fingerprint = 0;
    std::vector<config::Problem> problems;  // empty when they may be used
    std::vector<std::string> warnings;      // what has no meaning here
};
// Of PostgREST's settings some may be in the database: then this asks it.
[[nodiscard]] Files read_files(const Source& source);

// The schemas that the tables speak of.
[[nodiscard]] std::vector<std::string> schemas_of(const std::vector<routes::RouteTable>& tables);

// What the database has of it. Blocks; the errors are pg::introspect's.
[[nodiscard]] Result<std::shared_ptr<const catalog::Catalog>> read_catalog(const Files& files);

struct Built {
    std::shared_ptr<const pipeline::Snapshot> snapshot;  // nothing when there are problems
    std::vector<config::Problem> problems;
    std::vector<config::Problem> warnings;  // what does less than it says
};
// `catalog` may be nothing while Postgres was never there: then the snapshot has no versions.
[[nodiscard]] Built build_snapshot(const Files& files, std::shared_ptr<const catalog::Catalog> catalog);

[[nodiscard]] std::optional<std::string> read_file(const std::string& path);  // at most 1 MiB

}  // namespace millrace::app
