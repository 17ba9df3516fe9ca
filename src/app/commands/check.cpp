// `millrace check`: do the files make sense, and do they fit the database?
#include <iostream>

#include "millrace/app/commands.hpp"

namespace millrace::app {
namespace {

int report(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems) std::cerr << config::to_line(problem) << '\n';
    return problems.empty() ? 0 : 2;
}

std::size_t resources(const pipeline::Snapshot& snapshot) {
    std::size_t count = 0;
    for (const auto& api : snapshot.versions) count += api->resources().size();
    return count;
}

}  // namespace

int check(const CommandLine& line) {
    const Files files = read_files(line.source);
    if (!files.problems.empty()) return report(files.problems);
    if (line.offline) {
        std::cout << "The files are good; they were not held against a database.\n";
        return 0;
    }
    auto catalog = read_catalog(files);
    if (!catalog) {
        std::cerr << "The files are good, but they could not be held against the database: " << catalog.error().message << '\n';
        return 1;
    }
    const Built built = build_snapshot(files, *catalog);
    if (!built.snapshot) return report(built.problems);
    std::cout << "Good: " << built.snapshot->versions.size() << " version(s), " << resources(*built.snapshot)
              << " resource(s).\n";
    return 0;
}

}  // namespace millrace::app
