// Responses and their header fields in OpenAPI 3.1: rows of each resource, errors, and what a version says of its end.
#include "openapi.hpp"

namespace millrace::openapi {
namespace {

void write_reference(JsonWriter& out, std::string_view name, std::string_view pointer) {
    out.key(name);
    out.reference(pointer);
}

void write_media(JsonWriter& out, std::string_view media, const std::string& row, bool many) {
    out.object(media, [&] {
        out.object("schema", [&] {
            if (!many) return out.text("$ref", row);
            out.text("type", "array");
            write_reference(out, "items", row);
        });
    });
}

void write_rows(JsonWriter& out, const Description& description, const routes::Resource& resource) {
    const std::string key = component_key(resource.name), row = "#/components/schemas/" + key;
    out.object(key, [&] {
        out.text("description", "Rows of " + resource.name);
        write_response_headers(out, description, true);
        out.object("content", [&] {
            write_media(out, "application/json", row, true);
            write_media(out, "application/vnd.pgrst.object+json", row, false);
            out.object("text/csv", [&] { out.object("schema", [&] { out.text("type", "string"); }); });
        });
    });
}

void write_header(JsonWriter& out, std::string_view name, std::string_view about) {
    out.object(name, [&] {
        out.text("description", about);
        out.object("schema", [&] { out.text("type", "string"); });
    });
}

}  // namespace

void write_responses(JsonWriter& out, const Description& description) {
    out.object("responses", [&] {
        out.object("api-error", [&] {
            out.text("description", "The request failed");
            out.object("content", [&] { write_media(out, "application/json", "#/components/schemas/api-error", false); });
        });
        for (const GrantedResource& granted : description.grants.resources)
            if (granted.select) write_rows(out, description, *granted.resource);
    });
}

void write_headers(JsonWriter& out, const Description& description) {
    const routes::RouteTable& table = description.api->table();
    out.object("headers", [&] {
        write_header(out, "Content-Range", "Which rows these are, and of how many: `0-24/573`");
        if (table.deprecated) write_header(out, "Deprecation", "Since when this version is deprecated (RFC 9745)");
        if (table.sunset) write_header(out, "Sunset", "When this version ends (RFC 8594)");
        if (!table.successor.empty()) write_header(out, "Link", "The version that follows: rel=\"successor-version\"");
    });
}

void write_response_headers(JsonWriter& out, const Description& description, bool counted) {
    const routes::RouteTable& table = description.api->table();
    if (!counted && !table.deprecated && !table.sunset && table.successor.empty()) return;
    out.object("headers", [&] {
        if (counted) write_reference(out, "Content-Range", "#/components/headers/Content-Range");
        if (table.deprecated) write_reference(out, "Deprecation", "#/components/headers/Deprecation");
        if (table.sunset) write_reference(out, "Sunset", "#/components/headers/Sunset");
        if (!table.successor.empty()) write_reference(out, "Link", "#/components/headers/Link");
    });
}

void write_failures(JsonWriter& out) {
    write_reference(out, "4XX", "#/components/responses/api-error");
    write_reference(out, "5XX", "#/components/responses/api-error");
}

}  // namespace millrace::openapi
