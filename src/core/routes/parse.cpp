// Reads a route table as written, config/routes/<version>.json, into a RouteTable and what is wrong with it.
#include <algorithm>

#include "reader.hpp"

namespace millrace::routes {
namespace {

std::string stem(const std::string& file) {
    const auto slash = file.find_last_of('/');
    const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
    return name.substr(0, name.find('.'));
}

// nlohmann's message without its identifier: "parse error at line 3, column 5: …".
std::string reason_of(const Json::parse_error& error) {
    const std::string_view what = error.what();
    const auto end = what.find("] ");
    return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

void read_table(Reader& reader, const Place& root, RouteTable& table) {
    if (!reader.is_object(root)) return;
    for (const Field<RouteTable>& field : table_fields()) {
        const std::string key(field.name);
        if (root.value.contains(key)) field.read(reader, root.at(key), table);
    }
    std::vector<std::string> known;
    append_names(known, table_fields());
    for (const auto& [key, value] : root.value.items())
        if (std::ranges::find(known, key) == known.end()) reader.unknown_key(root, key, known);
    if (table.deprecated && table.sunset && *table.sunset < *table.deprecated)
        reader.problem("/sunset", "must not be before the deprecation (RFC 9745 §4)");
}

}  // namespace

ParsedTable parse_route_table(std::string_view text, const std::string& file) {
    ParsedTable parsed;
    parsed.table.file = file;
    parsed.table.version = stem(file);
    Reader reader(file);
    try {
        const Json json = Json::parse(text, nullptr, true, true);
        read_table(reader, Place{json, ""}, parsed.table);
    } catch (const Json::parse_error& error) {
        reader.problem("", reason_of(error));
    }
    if (parsed.table.version.empty()) reader.problem("/version", "is missing");
    parsed.problems = reader.take_problems();
    return parsed;
}

}  // namespace millrace::routes
