// Reads the authorities that vouch for services.
#include <algorithm>
#include <map>

#include "files.hpp"
#include "millrace/core/url.hpp"
#include "millrace/io/services.hpp"

namespace millrace::app {
namespace {

using Read = std::map<std::string, std::shared_ptr<const routes::Authorities>>;

bool is_encrypted(const std::string& text) {
    const auto url = url::parse_base(text);
    return url && url->encrypted;
}

}  // namespace

// Many routes may have the same: each is read once.
void read_authorities(Files& files) {
    Read known;
    for (routes::RouteTable& table : files.tables)
        for (auto& [name, rule] : table.upstreams) {
            routes::UpstreamPolicy& policy = rule.upstream;
            if (std::ranges::none_of(policy.urls, is_encrypted)) continue;
            const std::string file = policy.ca_file.empty() ? std::string() : beside(table.file, policy.ca_file);
            if (!known.contains(file)) {
                auto read = services::read_authorities(file);
                known[file] = read ? *std::move(read) : nullptr;
                if (!read)
                    files.problems.push_back(
                        {table.file, "/resources/" + name + "/upstream/ca_file", read.error().message, {}});
            }
            policy.authorities = known[file];
        }
}

}  // namespace millrace::app
