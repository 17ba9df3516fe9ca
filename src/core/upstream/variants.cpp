// Tells the answers of one target apart by the request's fields (RFC 9111 §4.1), and whether a client has one already.
#include <algorithm>

#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {
namespace {

// Opaque tags, compared weakly: whether they begin with W/ does not matter.
std::string_view opaque(std::string_view tag) {
    tag = text::trim(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag;
}

bool lists_tag(std::string_view list, std::string_view etag) {
    if (message::is_any(list)) return true;
    const std::string_view wanted = opaque(etag);
    while (!etag.empty() && !list.empty()) {
        const std::size_t open = list.find('"');
        const std::size_t close = open == std::string_view::npos ? open : list.find('"', open + 1);
        if (close == std::string_view::npos) return false;
        if (list.substr(open, close - open + 1) == wanted) return true;
        list.remove_prefix(close + 1);
    }
    return false;
}

}  // namespace

std::string to_text(const Variation& variation) {
    std::string out = variation.nonce;
    for (const std::string& name : variation.names) (out += ' ') += name;
    return out;
}

std::optional<Variation> parse_variation(std::string_view written) {
    Variation out;
    for (const std::string_view word : text::split(written, ' ')) {
        if (word.empty()) return std::nullopt;
        if (out.nonce.empty())
            out.nonce = word;
        else
            out.names.emplace_back(word);
    }
    return out;
}

std::string variation_key(std::string_view target_key) { return std::string(target_key) + " vary"; }

// As a hash, because a field may hold anything, and as much of it as a head may have.
std::string variant_key(std::string_view target_key, const Variation& variation, const message::Request& request) {
    std::string values;
    for (const std::string& name : variation.names) {
        std::string value;
        for (const message::Header& header : request.headers)
            if (text::iequals(header.name, name)) (value += header.value) += ',';
        values.append(name).append(" ").append(std::to_string(value.size())).append(" ").append(value);
    }
    return std::string(target_key) + " " + variation.nonce + " " + text::hex(text::sha256(values));
}

bool client_has(const message::Request& request, const message::HeaderBlock& headers) {
    if (const std::string_view tags = request.header("If-None-Match"); !tags.empty())
        return lists_tag(tags, headers.get("ETag"));
    const auto since = message::parse_http_date(request.header("If-Modified-Since"));
    const auto changed = message::parse_http_date(headers.get("Last-Modified"));
    return since && changed && *changed <= *since;
}

}  // namespace millrace::upstream
