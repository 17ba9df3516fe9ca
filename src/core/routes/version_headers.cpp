// Says in header fields that a version is deprecated, when it ends, and what comes after it.
#include "version_headers.hpp"

#include <chrono>

namespace millrace::routes {

std::vector<std::pair<std::string_view, std::string>> version_headers(const RouteTable& table) {
    std::vector<std::pair<std::string_view, std::string>> headers;
    if (table.deprecated) {  // RFC 9745 §2.1: a structured date
        const auto seconds = std::chrono::floor<std::chrono::seconds>(table.deprecated->time_since_epoch());
        headers.emplace_back("Deprecation", "@" + std::to_string(seconds.count()));
    }
    if (table.sunset) headers.emplace_back("Sunset", message::http_date(*table.sunset));
    if (!table.successor.empty()) headers.emplace_back("Link", "</" + table.successor + ">; rel=\"successor-version\"");
    if (!table.docs_url.empty() && table.deprecated)
        headers.emplace_back("Link", "<" + table.docs_url + ">; rel=\"deprecation\"");
    return headers;
}

void add_version_headers(const RouteTable& table, message::HeaderBlock& headers) {
    for (const auto& [name, value] : version_headers(table)) headers.add(name, value);
}

}  // namespace millrace::routes
