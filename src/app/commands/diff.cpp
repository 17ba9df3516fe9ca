// `millrace diff`: what breaks for clients who go from one version, or one state of a route table, to another?
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "millrace/app/commands.hpp"
#include "millrace/core/versions.hpp"

namespace millrace::app {
namespace {

using Problems = std::vector<config::Problem>;

bool is_file(const std::string& name) { return name.ends_with(".json") || name.find('/') != std::string::npos; }

// The tables of a version's name, or the one in a file; a version of several schemas has a table for each.
std::vector<routes::RouteTable> tables_of(const std::string& name, const Files& files, Problems& problems) {
    std::vector<routes::RouteTable> tables;
    if (!is_file(name)) {
        std::ranges::copy_if(files.tables, std::back_inserter(tables),
                             [&](const routes::RouteTable& table) { return table.version == name; });
        if (tables.empty()) problems.push_back({"", "", "there is no version \"" + name + "\"", {}});
        return tables;
    }
    const auto text = read_file(name);
    if (!text) {
        problems.push_back({name, "", "cannot read the route table", {}});
        return tables;
    }
    routes::ParsedTable parsed = routes::parse_route_table(*text, name);
    std::ranges::move(parsed.problems, std::back_inserter(problems));
    tables.push_back(std::move(parsed.table));
    return tables;
}

// One side of the comparison: tables laid over what a database has.
Result<routes::Versions> lenses_of(std::vector<routes::RouteTable> tables, const Files& files, const std::string& database_url,
                                   Problems& problems) {
    Files side = files;
    side.tables = std::move(tables);
    if (!database_url.empty()) side.settings.database.url = database_url;
    auto catalog = read_catalog(side);
    if (!catalog) return std::move(catalog).error();
    routes::Versions versions;
    for (const routes::RouteTable& table : side.tables) {
        routes::Lens lens = routes::build_lens(table, *catalog, side.settings);
        std::ranges::move(lens.problems, std::back_inserter(problems));
        if (lens.api) versions.push_back(std::move(lens.api));
    }
    return versions;
}

// Profiles belong together by their schema; where each side has one, whatever it is called.
const routes::ApiCatalog* counterpart(const routes::ApiCatalog& older, const routes::Versions& olders,
                                      const routes::Versions& newers) {
    if (olders.size() == 1 && newers.size() == 1) return newers.front().get();
    for (const auto& newer : newers)
        if (newer->table().schema == older.table().schema) return newer.get();
    return nullptr;
}

std::vector<versions::Finding> compare_all(const routes::Versions& olders, const routes::Versions& newers) {
    std::vector<versions::Finding> findings;
    for (const auto& older : olders) {
        const routes::ApiCatalog* newer = counterpart(*older, olders, newers);
        if (newer == nullptr)
            findings.push_back({true, older->table().schema, "the schema is gone"});
        else
            std::ranges::move(versions::compare(*older, *newer), std::back_inserter(findings));
    }
    return findings;
}

void print_json(const std::vector<versions::Finding>& findings, std::size_t breaks) {
    nlohmann::json list = nlohmann::json::array();
    for (const versions::Finding& each : findings)
        list.push_back({{"breaks", each.breaks}, {"where", each.where}, {"what", each.what}});
    std::cout << nlohmann::json{{"breaks", breaks}, {"findings", list}}.dump(2) << '\n';
}

int report(const Problems& problems) {
    for (const config::Problem& problem : problems) std::cerr << config::to_line(problem) << '\n';
    return 2;
}

int print(const std::vector<versions::Finding>& findings, const CommandLine& line) {
    const auto breaks = static_cast<std::size_t>(std::ranges::count(findings, true, &versions::Finding::breaks));
    if (line.json) {
        print_json(findings, breaks);
    } else {
        for (const versions::Finding& each : findings) std::cout << versions::to_line(each) << '\n';
        std::cout << breaks << " of " << findings.size() << " difference(s) break clients of " << line.older << ".\n";
    }
    return breaks == 0 ? 0 : 1;
}

}  // namespace

int diff(const CommandLine& line) {
    const Files files = read_files(line.source);
    Problems problems = files.problems;
    if (!problems.empty()) return report(problems);
    auto older_tables = tables_of(line.older, files, problems), newer_tables = tables_of(line.newer, files, problems);
    if (!problems.empty()) return report(problems);
    const auto olders = lenses_of(std::move(older_tables), files, line.older_database_url, problems);
    const auto newers = lenses_of(std::move(newer_tables), files, "", problems);
    if (!olders || !newers) {
        std::cerr << "The database cannot be read: " << (olders ? newers : olders).error().message << '\n';
        return 2;
    }
    if (!problems.empty()) return report(problems);
    return print(compare_all(*olders, *newers), line);
}

}  // namespace millrace::app
