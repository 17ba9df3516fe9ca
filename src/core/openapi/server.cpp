// Where a version is reached: as the configuration says, else as the request named the server.
#include "millrace/core/openapi.hpp"
#include "millrace/core/text.hpp"

namespace millrace::openapi {
namespace {

struct Parts {
    std::string scheme, authority, path;
};

// scheme://authority[/path]; user information, query and fragment say nothing here.
std::optional<Parts> split_url(std::string_view url) {
    const std::size_t colon = url.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    Parts parts;
    parts.scheme = text::lower(url.substr(0, colon));
    if (parts.scheme != "http" && parts.scheme != "https") return std::nullopt;
    std::string_view rest = url.substr(colon + 3);
    rest = rest.substr(0, rest.find_first_of("?#"));
    const std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    if (authority.empty() || authority.find_first_of(" \t\"\\<>") != std::string_view::npos) return std::nullopt;
    parts.authority = authority;
    if (slash != std::string_view::npos) parts.path = rest.substr(slash);
    return parts;
}

bool has_port(std::string_view authority) {
    const std::size_t colon = authority.rfind(':');
    return colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
}

std::string joined(std::string_view base, std::string_view prefix) {
    while (base.ends_with('/')) base.remove_suffix(1);
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    std::string path = std::string(base) + std::string(prefix);
    return path.empty() ? "/" : path;
}

}  // namespace

bool valid_server_url(std::string_view url) { return split_url(url).has_value(); }

Server server_of(std::string_view server_url, std::string_view host, std::string_view prefix) {
    Server server;
    if (const auto parts = split_url(server_url)) {
        server.scheme = parts->scheme;
        server.host = parts->authority;
        if (!has_port(server.host)) server.host += parts->scheme == "https" ? ":443" : ":80";
        server.base_path = joined(parts->path, prefix);
        return server;
    }
    server.host = host;
    server.base_path = joined("", prefix);
    return server;
}

}  // namespace millrace::openapi
