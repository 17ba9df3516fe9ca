// Finds the client of a request that came through trusted proxies. Fields are read from their end: what a proxy appended is
// there, and nothing that stands before it, an open quote say, can change how it is read.
#include <algorithm>
#include <utility>

#include "millrace/core/peer.hpp"
#include "millrace/core/text.hpp"

namespace millrace::peer {
namespace {

constexpr std::string_view by_addresses = "x-forwarded-for", by_parameters = "forwarded", by_scheme = "x-forwarded-proto";

bool escaped(std::string_view s, std::size_t at) {
    const std::size_t before = s.substr(0, at).find_last_not_of('\\');
    return (at - (before == std::string_view::npos ? 0 : before + 1)) % 2 == 1;
}

// What stands behind the last separator that is not within quotes; it and the separator are taken off.
std::string_view take_last(std::string_view& s, char separator) {
    bool quoted = false;
    for (std::size_t at = s.size(); at-- > 0;) {
        if (s[at] == '"' && !escaped(s, at)) quoted = !quoted;
        if (s[at] != separator || quoted) continue;
        const std::string_view last = s.substr(at + 1);
        s = s.substr(0, at);
        return text::trim(last);
    }
    return text::trim(std::exchange(s, {}));
}

bool is_port(std::string_view s) {
    return !s.empty() && s.size() <= 5 && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". Nothing for "unknown", "_hidden" and the
// rest.
std::optional<Address> address_of_node(std::string_view node) {
    const bool bracketed = node.starts_with('[');
    const std::size_t end = bracketed ? node.find(']') : node.size();
    if (end == std::string_view::npos) return std::nullopt;
    if (bracketed) {
        const std::string_view port = node.substr(end + 1);
        if (!port.empty() && !(port[0] == ':' && is_port(port.substr(1)))) return std::nullopt;
        const std::string_view inside = node.substr(1, end - 1);
        return inside.find(':') == std::string_view::npos ? std::nullopt : Address::parse(inside);
    }
    const std::size_t colon = node.find(':');
    const bool has_port = colon != std::string_view::npos && colon == node.rfind(':');
    if (has_port && !is_port(node.substr(colon + 1))) return std::nullopt;
    return Address::parse(has_port ? node.substr(0, colon) : node);
}

// RFC 7239 §4: a token, or a quoted string; no node needs an escape.
std::optional<std::string_view> unquoted(std::string_view value) {
    if (!value.starts_with('"')) return value;
    if (value.size() < 2 || !value.ends_with('"')) return std::nullopt;
    return value.substr(1, value.size() - 2);
}

// Of "for=192.0.2.1;proto=http" the value of one; two of a name are none (§4).
std::optional<std::string_view> parameter(std::string_view element, std::string_view name) {
    std::optional<std::string_view> value;
    while (!element.empty()) {
        const std::string_view pair = take_last(element, ';');
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || !text::iequals(pair.substr(0, equals), name)) continue;
        if (value) return std::nullopt;
        value = unquoted(pair.substr(equals + 1));
        if (!value) return std::nullopt;
    }
    return value;
}

std::optional<Address> address_of_element(std::string_view element) {
    const auto node = parameter(element, "for");
    return node ? address_of_node(*node) : std::nullopt;
}

// Which fields there are that tell of the client.
struct Fields {
    bool addresses = false, parameters = false, scheme = false;
};

Fields fields_of(const message::Request& request) {
    Fields fields;
    for (const message::Header& header : request.headers) {
        fields.addresses = fields.addresses || text::iequals(header.name, by_addresses);
        fields.parameters = fields.parameters || text::iequals(header.name, by_parameters);
        fields.scheme = fields.scheme || text::iequals(header.name, by_scheme);
    }
    return fields;
}

// Who the client is, and what was said of him: how many elements from their end, and the one that names him.
struct Found {
    Address client;
    std::size_t elements = 0;
    std::string_view element{};
};

Found find(const message::Request& request, const Fields& fields, const Address& peer, const Networks& trusted) {
    const std::string_view field = fields.addresses ? by_addresses : by_parameters;
    Found found{peer};
    if (!fields.addresses && !fields.parameters) return found;
    for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
        if (!text::iequals(header->name, field)) continue;
        for (std::string_view rest = header->value; !rest.empty();) {
            const std::string_view element = take_last(rest, ',');
            if (element.empty()) continue;  // RFC 9110 §5.6.1.2
            const auto before = fields.addresses ? address_of_node(element) : address_of_element(element);
            if (!before) return found;
            found = {*before, found.elements + 1, element};
            if (!trusted.contains(found.client)) return found;
        }
    }
    return found;
}

// Of a list the scheme that the proxy before the client's tells; of one that is shorter than the proxies are many, the first.
bool scheme_is_https(const message::Request& request, std::size_t from_the_end) {
    std::string_view scheme;
    for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
        if (!text::iequals(header->name, by_scheme)) continue;
        for (std::string_view rest = header->value; !rest.empty() && from_the_end > 0; --from_the_end)
            scheme = take_last(rest, ',');
    }
    return text::iequals(scheme, "https");
}

// Nothing: nobody tells.
std::optional<bool> used_tls(const message::Request& request, const Fields& fields, const Found& found) {
    if (fields.scheme) return scheme_is_https(request, std::max<std::size_t>(found.elements, 1));
    if (fields.addresses) return std::nullopt;
    const auto scheme = parameter(found.element, "proto");
    return scheme ? std::optional(text::iequals(*scheme, "https")) : std::nullopt;
}

}  // namespace

Client client_of(const message::Request& request, const Client& peer, const Networks& trusted) {
    if (!trusted.contains(peer.address)) return peer;
    const Fields fields = fields_of(request);
    const Found found = find(request, fields, peer.address, trusted);
    return {found.client, used_tls(request, fields, found).value_or(peer.encrypted)};
}

}  // namespace millrace::peer
