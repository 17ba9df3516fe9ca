// `millrace migrate`: installs, prints or removes the triggers that tell caches what changed.
#include <iostream>

#include "millrace/app/commands.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

int migrate(const CommandLine& line) {
    const Files files = read_files(line.source);
    for (const config::Problem& problem : files.problems) std::cerr << config::to_line(problem) << '\n';
    if (!files.problems.empty()) return 2;
    const std::vector<std::string> schemas = schemas_of(files.tables);
    const auto look = [&] { return read_catalog(files); };
    auto catalog = look();
    if (!catalog) {
        std::cerr << catalog.error().message << '\n';
        return 1;
    }
    const std::string sql = line.remove ? pg::migration_removal_sql() : pg::migration_sql(**catalog, schemas);
    if (line.print) {
        std::cout << sql;
        return 0;
    }
    if (auto done = pg::execute(files.settings.database.url, sql); !done) {
        std::cerr << done.error().message << '\n';
        return 1;
    }
    std::cout << (line.remove ? "The triggers are gone.\n" : "The triggers are there.\n");
    if (!line.remove)
        if (const auto after = look(); after && !(*after)->ddl_watched)
            std::cout
                << "This role may not make event triggers: changes of the schema and of privileges, and refreshes of "
                   "materialized views, are seen by polling (cache.catalog_poll_ms) only. millrace.refresh() refreshes and "
                   "tells.\n";
    return 0;
}

}  // namespace millrace::app
