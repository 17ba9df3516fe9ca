// `millrace init`: writes a first route table from what the database has.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "millrace/app/commands.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

bool write_file(const std::string& path, const std::string& text) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    return out.good();
}

// The flag or the variable: init comes before there is a configuration file.
std::string database_url(const Source& source) {
    const auto flag = source.flags.find("database-url");
    if (flag != source.flags.end()) return flag->second;
    const auto variable = source.environment.find("MILLRACE_DATABASE_URL");
    return variable == source.environment.end() ? std::string() : variable->second;
}

}  // namespace

int init(const CommandLine& line) {
    const std::string url = database_url(line.source);
    if (url.empty()) {
        std::cerr << "millrace init needs --database-url or MILLRACE_DATABASE_URL\n";
        return 2;
    }
    const std::string path = line.output.empty() ? "config/routes/v1.json" : line.output;
    if (!line.force && std::filesystem::exists(path)) {
        std::cerr << path << " exists; --force overwrites it\n";
        return 2;
    }
    auto catalog = pg::introspect(url, {line.schema}, {});
    if (!catalog) {
        std::cerr << catalog.error().message << '\n';
        return 1;
    }
    if (!write_file(path, routes::first_route_table(**catalog, line.schema))) {
        std::cerr << "cannot write " << path << '\n';
        return 1;
    }
    std::cout << "Wrote " << path << "\n";
    return 0;
}

}  // namespace millrace::app
