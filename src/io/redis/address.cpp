// Reads the URL of a Redis server. Messages never quote it: it may hold a password.
#include <algorithm>
#include <charconv>
#include <utility>

#include "millrace/core/text.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::redis {
namespace {

constexpr std::size_t url_bytes_max = 2'048;
constexpr std::size_t unix_path_bytes_max = 107;  // sockaddr_un::sun_path with its end
constexpr int databases_max = 1'000'000;

Error problem(std::string_view what) { return Error::of(Fault::internal, "The Redis URL " + std::string(what)); }

template <class T>
bool take_number(std::string_view text, T least, T most, T& into) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) return false;
    into = value;
    return true;
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

// "user:password@" or ":password@" in front; percent-encoded.
Result<void> take_credentials(std::string_view& rest, std::size_t authority_bytes, Address& address) {
    const auto at = rest.substr(0, authority_bytes).rfind('@');
    if (at == std::string_view::npos) return {};
    const auto credentials = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    const auto colon = credentials.find(':');
    const auto user = text::percent_decode(credentials.substr(0, colon));
    const auto password = text::percent_decode(colon == std::string_view::npos ? "" : credentials.substr(colon + 1));
    if (!user || !password) return problem("has a '%' without two hex digits in its user or password");
    if (password->empty()) return problem("has a user without a password; write redis://user:password@host");
    address.user = *user;
    address.password = *password;
    return {};
}

Result<void> read_host(std::string_view host, Endpoint& endpoint) {
    std::string_view port;
    if (host.starts_with('[')) {
        const auto close = host.find(']');
        if (close == std::string_view::npos) return problem("has a '[' without a ']'");
        port = host.substr(close + 1);
        host = host.substr(1, close - 1);
    } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    const bool good_port =
        port.empty() || (port.starts_with(':') && take_number<std::uint16_t>(port.substr(1), 1, 65'535, endpoint.port));
    if (!good_port) return problem("has a port that is no number from 1 to 65535");
    if (host.empty()) return problem("has no host");
    endpoint.host = host;
    return {};
}

Result<Address> read_tcp(std::string_view rest) {
    Address address;
    auto credentials = take_credentials(rest, std::min(rest.find('/'), rest.size()), address);
    if (!credentials) return std::move(credentials).error();
    const auto slash = rest.find('/');
    const auto database = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    auto host = read_host(rest.substr(0, slash), address.endpoints.front());
    if (!host) return std::move(host).error();
    if (!database.empty() && !take_number(database, 0, databases_max, address.database))
        return problem("has a database that is no number: redis://host:port/0");
    return address;
}

Result<Address> read_unix(std::string_view rest) {
    Address address;
    auto credentials = take_credentials(rest, std::min(rest.find('/'), rest.size()), address);
    if (!credentials) return std::move(credentials).error();
    const auto question = rest.find('?');
    if (question != std::string_view::npos) {
        const auto query = rest.substr(question + 1);
        if (!query.starts_with("db=") || !take_number(query.substr(3), 0, databases_max, address.database))
            return problem("has a query other than ?db=0");
        rest = rest.substr(0, question);
    }
    if (!rest.starts_with('/') || rest.size() > unix_path_bytes_max)
        return problem("needs an absolute path of at most 107 bytes after unix://");
    address.endpoints.front().unix_path = rest;
    return address;
}

}  // namespace

Result<Address> parse_url(std::string_view url) {
    if (url.size() > url_bytes_max) return problem("is too long");
    if (!is_plain(url)) return problem("has a space or a control character in it");
    if (url.starts_with("redis://")) return read_tcp(url.substr(8));
    if (url.starts_with("unix://")) return read_unix(url.substr(7));
    if (url.starts_with("rediss://")) return problem("asks for TLS, which is not supported: use redis:// or unix://");
    return problem("must begin with redis:// or unix://");
}

}  // namespace millrace::redis
