// Metrics are documented as they are: their names, types and labels.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "telemetry_fixture.hpp"

namespace millrace::telemetry {
namespace {

std::string content(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

// The compiler may have been given this file's path relative to the build directory, whose folder tests/ holds the program.
std::filesystem::path source_root() {
    const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
    return (build / __FILE__).lexically_normal().parent_path().parent_path().parent_path();
}

// The repository's file; what is printed is laid beside the temporary files when it differs.
void expect_in_step(const std::string& path, const std::string& printed) {
    const auto root = source_root();
    const std::string fresh = testing::TempDir() + std::filesystem::path(path).filename().string();
    const bool same = content(root / path) == printed;
    if (!same) std::ofstream(fresh, std::ios::binary) << printed;
    EXPECT_TRUE(same) << path << " is out of step with the table of metrics; cp " << fresh << " " << path;
}

}  // namespace

TEST(Telemetry, the_golden_list_and_the_documentation_are_in_step) {
    expect_in_step("tests/io/metrics_names.txt", Telemetry::names());
    expect_in_step("docs/metrics.md", Telemetry::documentation());
}

// Of "| `name` | type | a, b | what |" the labels of each name; of "name{a="x",b="y"} 1" the same.
TEST(Telemetry, has_the_labels_that_the_documentation_says) {
    std::map<std::string, std::set<std::string>> documented;
    const std::regex row("\\| `([a-z_]+)` \\| [a-z]+ \\| ([a-z_, ]*) ?\\|.*"), word("[a-z_]+");
    std::istringstream documentation(Telemetry::documentation());
    for (std::string line; std::getline(documentation, line);)
        if (std::smatch found; std::regex_match(line, found, row)) {
            const std::string labels = found[2];
            documented[found[1]] = {std::sregex_token_iterator(labels.begin(), labels.end(), word), {}};
        }
    const Telemetry telemetry(settings("off"));
    const std::regex sample("([a-z_]+)\\{(.*)\\} .*"), label("([a-z_]+)=\"[^\"]*\"");
    std::istringstream text(telemetry.scrape());
    int seen = 0;
    for (std::string line; std::getline(text, line);) {
        std::smatch found;
        if (!std::regex_match(line, found, sample) || line.find("_bucket{") != std::string::npos) continue;
        const std::string labels = found[2];
        const std::string name = std::regex_replace(found[1].str(), std::regex("_seconds_(sum|count)$"), "_seconds");
        EXPECT_EQ(std::set<std::string>(std::sregex_token_iterator(labels.begin(), labels.end(), label, 1), {}),
                  documented[name])
            << line;
        ++seen;
    }
    EXPECT_GT(seen, 30);
}

TEST(Telemetry, exposes_exactly_the_metrics_of_the_golden_list) {
    const Telemetry telemetry(settings("off"));
    std::string types;
    std::vector<std::string> lines;
    const std::string text = telemetry.scrape();
    for (std::string_view line : text::split(text, '\n'))
        if (line.starts_with("# TYPE ")) lines.push_back(std::string(line.substr(7)) + "\n");
    std::ranges::sort(lines);
    for (const std::string& line : lines) types += line;
    EXPECT_EQ(types, Telemetry::names());
}

}  // namespace millrace::telemetry
