// The keys of a route that is an HTTP service.
#include <algorithm>
#include <cctype>

#include "field_readers.hpp"
#include "millrace/core/text.hpp"
#include "millrace/core/url.hpp"

namespace millrace::routes {
namespace {

// RFC 9110 §5.6.2: a token, as names of header fields are.
bool is_token(std::string_view name) {
    static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view value) {
    return std::ranges::all_of(value, [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7F); });
}

void urls(Reader& reader, const Place& place, UpstreamPolicy& out) {
    std::vector<std::string> urls;
    if (!reader.read(place, urls)) return;
    if (urls.empty()) reader.problem(place.path, "must name at least one address");
    for (std::size_t i = 0; i < urls.size(); ++i)
        if (!url::parse_base(urls[i]))
            reader.problem(place.path + "/" + std::to_string(i),
                           "must be http://host or https://host, with a port or a path after it where there is one");
    out.urls = std::move(urls);
}

template <auto Member>
void path(Reader& reader, const Place& place, UpstreamPolicy& out) {
    std::string path;
    if (!reader.read(place, path)) return;
    const bool visible = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7F && c != '?' && c != '#'; });
    if (!path.starts_with('/') || !visible) return reader.problem(place.path, "must be a path that begins with '/'");
    out.*Member = std::move(path);
}

void ca_file(Reader& reader, const Place& place, UpstreamPolicy& out) {
    if (reader.read(place, out.ca_file) && out.ca_file.empty()) reader.problem(place.path, "must name a file");
}

void set_headers(Reader& reader, const Place& place, UpstreamPolicy& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [name, value] : place.value.items()) {
        std::string text;
        if (!reader.read(place.at(name), text)) continue;
        if (!is_token(name) || !is_field_value(text))
            reader.problem(place.path + "/" + pointer_token(name), "is no header field");
        else
            out.set_headers.insert_or_assign(name, std::move(text));
    }
}

void remove_headers(Reader& reader, const Place& place, UpstreamPolicy& out) {
    std::vector<std::string> names;
    if (!reader.read(place, names)) return;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!is_token(names[i])) reader.problem(place.path + "/" + std::to_string(i), "is no name of a header field");
    out.remove_headers = std::move(names);
}

void upstream(Reader& reader, const Place& place, UpstreamRule& out) {
    if (!reader.is_object(place)) return;
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, upstream_fields(), out.upstream)) continue;
        std::vector<std::string> known;
        append_names(known, upstream_fields());
        reader.unknown_key(place, key, known);
    }
    if (!place.value.contains("urls")) reader.problem(place.path + "/urls", "is missing: where the service is");
    const auto encrypted = [](const std::string& url) { return url.starts_with("https:"); };
    if (!out.upstream.ca_file.empty() && std::ranges::none_of(out.upstream.urls, encrypted))
        reader.problem(place.path + "/ca_file", "is of no use: none of the addresses is https");
}

}  // namespace

const std::vector<Field<UpstreamPolicy>>& upstream_fields() {
    static const std::vector<Field<UpstreamPolicy>> fields{
        {"urls",
         R"({"type": "array", "items": {"type": "string", "pattern": "^https?://"}, "minItems": 1, "uniqueItems": true})",
         "Addresses of the service, all alike; the one with the fewest requests under way is asked.", urls},
        {"ca_file", name_schema,
         "PEM file, found beside the route table, of the authorities that vouch for https addresses. Default: the system's.",
         ca_file},
        {"path", R"({"type": "string", "pattern": "^/"})",
         "What stands for the version and the route's name in the service's paths. Default: / and the name.",
         path<&UpstreamPolicy::path>},
        {"health_path", R"({"type": "string", "pattern": "^/"})",
         "A path that is asked of each address in the background; one that does not answer 2xx is left alone.",
         path<&UpstreamPolicy::health_path>},
        {"health_every_ms", positive_number, "How often.", positive<&UpstreamPolicy::health_every_ms>},
        {"connect_timeout_ms", positive_number, "Time for a connection to stand.",
         positive<&UpstreamPolicy::connect_timeout_ms>},
        {"timeout_ms", positive_number, "Time for the head of an answer to come.", positive<&UpstreamPolicy::timeout_ms>},
        {"connections_max", positive_number, "Most connections to one address, per worker.",
         positive<&UpstreamPolicy::connections_max>},
        {"retries_max", whole_number, "Further addresses that a safe request may be sent to when one fails.",
         plain<&UpstreamPolicy::retries_max>},
        {"forward_authorization", boolean, "Whether the service sees the caller's Authorization.",
         plain<&UpstreamPolicy::forward_authorization>},
        {"set_headers", R"({"type": "object", "additionalProperties": {"type": "string"}})",
         "Fields that the service's requests carry, whatever the client sent.", set_headers},
        {"remove_headers", names_schema, "Fields of the service's answers that clients do not see.", remove_headers},
    };
    return fields;
}

const std::vector<Field<UpstreamRule>>& upstream_route_fields() {
    static const std::vector<Field<UpstreamRule>> fields{
        {"upstream", R"({"$ref": "#/$defs/upstream"})",
         "The HTTP service that answers for the name and all paths below it, instead of a relation.", upstream},
    };
    return fields;
}

}  // namespace millrace::routes
