// Lays every route table over the catalog: one Snapshot, or the problems that stand in its way.
#include <algorithm>

#include "millrace/app/snapshot.hpp"
#include "millrace/core/part.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

void refuse_unknown_successors(const Files& files, std::vector<config::Problem>& problems) {
    std::vector<std::string> versions;
    for (const routes::RouteTable& table : files.tables) versions.push_back(table.version);
    for (const routes::RouteTable& table : files.tables)
        if (!table.successor.empty() && std::ranges::find(versions, table.successor) == versions.end())
            problems.push_back({table.file, "/successor", "there is no version \"" + table.successor + "\"",
                                text::closest(table.successor, versions).value_or("")});
}

// Of everything that two processes may hold differently and that an answer can show: their entries must not meet in Redis.
std::uint64_t fingerprint_of(const Files& files, const catalog::Catalog& catalog) {
    std::uint64_t sum = text::hash64(std::to_string(files.fingerprint), catalog.fingerprint);
    const auto add = [&](const std::vector<std::string>& list) {
        for (const std::string& each : list) sum = text::hash64(each, sum);
        sum = text::hash64(std::to_string(list.size()), sum);
    };
    add(files.settings.api.app_settings);
    add(files.settings.api.extra_search_path);
    add(files.settings.api.hoisted_settings);
    return sum;
}

// Of the routes of all versions those that this process is for.
void keep_part(pipeline::Snapshot& snapshot, std::vector<config::Problem>& problems) {
    const std::vector<std::string>& only = snapshot.settings.only;
    if (only.empty()) return;
    problems = part::unknown_names(snapshot.versions, only);
    for (auto& version : snapshot.versions) {
        routes::Lens lens = routes::build_lens(part::table_of(*version, only), snapshot.catalog, snapshot.settings);
        std::ranges::move(lens.problems, std::back_inserter(problems));
        if (lens.api) version = std::move(lens.api);
    }
}

}  // namespace

Built build_snapshot(const Files& files, std::shared_ptr<const catalog::Catalog> catalog) {
    Built built;
    built.problems = files.problems;
    refuse_unknown_successors(files, built.problems);
    auto snapshot = std::make_shared<pipeline::Snapshot>();
    snapshot->settings = files.settings;
    snapshot->catalog = catalog;
    snapshot->keys = files.keys;
    if (catalog) {
        snapshot->fingerprint = fingerprint_of(files, *catalog);
        for (const routes::RouteTable& table : files.tables) {
            routes::Lens lens = routes::build_lens(table, catalog, files.settings);
            std::ranges::move(lens.problems, std::back_inserter(built.problems));
            std::ranges::move(lens.warnings, std::back_inserter(built.warnings));
            if (lens.api) snapshot->versions.push_back(std::move(lens.api));
        }
        if (built.problems.empty()) keep_part(*snapshot, built.problems);
    }
    if (built.problems.empty()) built.snapshot = std::move(snapshot);
    return built;
}

}  // namespace millrace::app
