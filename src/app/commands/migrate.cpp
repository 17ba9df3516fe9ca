// `millrace migrate`: installs, prints or removes what tells caches that rows changed, triggers or a publication and a slot,
// and the table of answers to requests that may be repeated.
#include <iostream>

#include "millrace/app/commands.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

int failed(const Error& error) {
    std::cerr << error.message << (error.details ? ": " + *error.details : "") << '\n';
    return 1;
}

std::string sql_of(const CommandLine& line, const Files& files, const catalog::Catalog& catalog) {
    if (line.remove) return line.decoding ? pg::publication_removal_sql() : pg::migration_removal_sql();
    const std::string source =
        line.decoding ? pg::publication_sql(catalog) : pg::migration_sql(catalog, schemas_of(files.tables));
    return pg::idempotency_sql(line.grant_to) + source;
}

// What cannot be published is read past the cache, which nobody would guess.
int warn_of_unpublished(const Files& files) {
    auto catalog = read_catalog(files);
    if (!catalog) return failed(catalog.error());
    for (const catalog::Relation& relation : (*catalog)->relations)
        if (relation.kind == catalog::RelationKind::table && !relation.watched)
            std::cerr << "warning: " << relation.schema << '.' << relation.name
                      << " is not published, so what reads it is not cached; it needs a primary key or REPLICA IDENTITY FULL\n";
    return 0;
}

int migrate_decoding(const CommandLine& line, Files files) {
    const config::Settings& settings = files.settings;
    const std::string& url =
        settings.database.replication_url.empty() ? settings.database.url : settings.database.replication_url;
    const auto done = line.remove ? pg::drop_slot(url, settings.cache.slot) : pg::ensure_slot(url, settings.cache.slot);
    if (!done) return failed(done.error());
    std::cout << (line.remove ? "The publication and the slot are gone.\n" : "The publication and the slot are there.\n");
    if (line.remove) return 0;
    files.settings.cache.invalidation_source = "decoding";
    return warn_of_unpublished(files);
}

void say_what_is_polled(const Files& files) {
    const auto after = read_catalog(files);
    if (!after || (*after)->ddl_watched) return;
    std::cout
        << "This role may not make event triggers: changes of the schema and of privileges, and refreshes of materialized "
           "views, are seen by polling (cache.catalog_poll_ms) only. millrace.refresh() refreshes and tells.\n";
}

}  // namespace

int migrate(const CommandLine& line) {
    const Files files = read_files(line.source);
    for (const config::Problem& problem : files.problems) std::cerr << config::to_line(problem) << '\n';
    if (!files.problems.empty()) return 2;
    const auto catalog = read_catalog(files);
    if (!catalog) return failed(catalog.error());
    const std::string sql = sql_of(line, files, **catalog);
    if (line.print) {
        std::cout << sql;
        return 0;
    }
    // The publication first: a slot cannot decode what was written before there was one.
    if (auto done = pg::execute(files.settings.database.url, sql); !done) return failed(done.error());
    if (line.decoding) return migrate_decoding(line, files);
    std::cout << (line.remove ? "The triggers are gone.\n" : "The triggers are there.\n");
    if (!line.remove) say_what_is_polled(files);
    return 0;
}

}  // namespace millrace::app
