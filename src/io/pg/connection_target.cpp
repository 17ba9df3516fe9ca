// Takes a connection URL apart and resolves its hosts without blocking the loop.
#include "connection_target.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string_view>

#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

constexpr std::size_t addresses_per_host_max = 4;

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Result<Parameters> parse(const std::string& url) {
    char* said = nullptr;
    const Options options(PQconninfoParse(url.c_str(), &said), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> message(said, &PQfreemem);
    if (!options) {
        return Error::of(Fault::database_unavailable)
            .with_details(said == nullptr ? "The URL of the database is invalid" : said);
    }
    Parameters parameters;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) parameters.emplace_back(option->keyword, option->val);
    }
    return parameters;
}

template <class Some>
auto* find(Some& parameters, std::string_view keyword) {
    auto found = std::ranges::find_if(parameters, [&](const auto& p) { return p.first == keyword; });
    return found == parameters.end() ? nullptr : &found->second;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> items;
    for (std::size_t from = 0; from <= list.size();) {
        const auto comma = std::min(list.find(',', from), list.size());
        items.emplace_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return items;
}

bool needs_lookup(const std::string& host) {
    if (host.empty() || host.front() == '/' || host.front() == '@') return false;
    boost::system::error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    return not_an_address.failed();
}

asio::awaitable<std::vector<std::string>> look_up(std::string host) {
    std::vector<std::string> addresses;
    if (!needs_lookup(host)) co_return std::vector<std::string>(1);
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    const auto found = co_await resolver.async_resolve(host, std::string(), std::move(token));
    for (const auto& entry : found) {
        auto address = entry.endpoint().address().to_string();
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(std::move(address));
        if (addresses.size() == addresses_per_host_max) break;
    }
    co_return addresses;
}

struct Hosts {
    std::string names, addresses, ports;

    void add(const std::string& name, const std::string& address, const std::string& port) {
        for (auto* list : {&names, &addresses, &ports}) {
            if (!first) *list += ',';
        }
        first = false;
        names += name;
        addresses += address;
        ports += port;
    }
    bool first = true;
};

// The list with only its n-th item; a list of one is for all hosts.
void keep_one(Parameters& parameters, std::string_view keyword, std::size_t n) {
    std::string* const list = find(parameters, keyword);
    if (list == nullptr) return;
    const auto items = split(*list);
    *list = items[std::min(n, items.size() - 1)];
}

}  // namespace

bool names_several_hosts(const Parameters& parameters) {
    for (const std::string_view keyword : {"host", "hostaddr"}) {
        const auto* list = find(parameters, keyword);
        if (list != nullptr && list->find(',') != std::string::npos) return true;
    }
    return false;
}

void append_parameter(std::string& out, std::string_view keyword, std::string_view value) {
    if (!out.empty()) out += ' ';
    out += keyword;
    out += "='";
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    out += '\'';
}

std::vector<std::string> each_host(const std::string& url) {
    const auto parsed = parse(url);
    if (!parsed || !names_several_hosts(*parsed)) return {url};
    const auto* list = find(*parsed, "host");
    if (list == nullptr) list = find(*parsed, "hostaddr");
    std::vector<std::string> urls(split(*list).size());
    for (std::size_t i = 0; i < urls.size(); ++i) {
        Parameters one = *parsed;
        for (const std::string_view keyword : {"host", "hostaddr", "port"}) keep_one(one, keyword, i);
        for (const auto& [keyword, value] : one) append_parameter(urls[i], keyword, value);
    }
    return urls;
}

asio::awaitable<Result<Parameters>> resolve(const std::string& url) {
    auto parsed = parse(url);
    if (!parsed) co_return parsed;
    auto& parameters = *parsed;
    if (names_several_hosts(parameters) && find(parameters, "target_session_attrs") == nullptr)
        parameters.emplace_back("target_session_attrs", attributes_of_several);
    const auto* host = find(parameters, "host");
    if (host == nullptr || find(parameters, "hostaddr") != nullptr) co_return parsed;
    const auto* port = find(parameters, "port");
    const auto names = split(*host);
    const auto ports = split(port == nullptr ? "" : *port);
    Hosts hosts;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto addresses = co_await look_up(names[i]);
        for (const auto& address : addresses) hosts.add(names[i], address, ports[std::min(i, ports.size() - 1)]);
    }
    if (hosts.first) {
        co_return Error::of(Fault::database_unavailable).with_details("The host of the database could not be resolved");
    }
    *find(parameters, "host") = hosts.names;
    if (port != nullptr) *find(parameters, "port") = hosts.ports;
    parameters.emplace_back("hostaddr", hosts.addresses);
    co_return parsed;
}

}  // namespace millrace::pg
