// `millrace migrate`: installs, prints or removes the triggers that tell caches what changed.
#include <iostream>

#include "millrace/app/commands.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

int migrate(const CommandLine& line) {
    const Files files = read_files(line.source);
    for (const config::Problem& problem : files.problems) std::cerr << config::to_line(problem) << '\n';
    if (!files.problems.empty()) return 2;
    auto catalog = read_catalog(files);
    if (!catalog) {
        std::cerr << catalog.error().message << '\n';
        return 1;
    }
    const std::string sql = line.remove ? pg::migration_removal_sql(**catalog) : pg::migration_sql(**catalog);
    if (line.print) {
        std::cout << sql;
        return 0;
    }
    if (auto done = pg::execute(files.settings.database.url, sql); !done) {
        std::cerr << done.error().message << '\n';
        return 1;
    }
    std::cout << (line.remove ? "The triggers are gone.\n" : "The triggers are there.\n");
    return 0;
}

}  // namespace millrace::app
