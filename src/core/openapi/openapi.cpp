// OpenAPI 3.1 of a version: for generators of clients, validators and people.
#include "openapi.hpp"

#include <array>

#include "shared.hpp"

namespace millrace::openapi {
namespace {

using routes::RouteTable;

std::string about(const Description& description) {
    const RouteTable& table = description.api->table();
    const Words words = words_of_schema(description.grants);
    std::string out(words.description);
    if (out.empty()) out = "What version " + table.version + " shows of its database, in the dialect of PostgREST.";
    if (table.deprecated) out += "\n\nThis version is deprecated since " + message::http_date(*table.deprecated) + ".";
    if (table.sunset) out += "\n\nIt is no longer served after " + message::http_date(*table.sunset) + ".";
    if (!table.successor.empty()) out += "\n\nIts successor is " + table.successor + ".";
    return out;
}

void write_info(JsonWriter& out, const Description& description) {
    const RouteTable& table = description.api->table();
    const Words words = words_of_schema(description.grants);
    out.object("info", [&] {
        out.text("title", words.summary.empty() ? "API " + table.version : std::string(words.summary));
        out.text("description", about(description));
        out.text("version", table.version);
        if (table.deprecated) out.text("x-deprecated", message::http_date(*table.deprecated));
        if (table.sunset) out.text("x-sunset", message::http_date(*table.sunset));
        if (!table.successor.empty()) out.text("x-successor", "/" + table.successor);
    });
}

void write_servers(JsonWriter& out, const Server& server) {
    const std::string path = server.base_path == "/" && !server.host.empty() ? "" : server.base_path;
    out.array("servers", [&] {
        out.object([&] { out.text("url", server.host.empty() ? path : server.scheme + "://" + server.host + path); });
    });
}

void write_tags(JsonWriter& out, const Description& description) {
    out.array("tags", [&] {
        for (const GrantedResource& granted : description.grants.resources)
            out.object([&] {
                const std::string_view summary = split_comment(granted.resource->relation->comment).summary;
                out.text("name", granted.resource->name);
                out.text("description", summary.empty() ? "Rows of " + granted.resource->name : std::string(summary));
            });
        if (!description.grants.functions.empty())
            out.object([&] {
                out.text("name", "(rpc)");
                out.text("description", "Functions");
            });
        out.object([&] {
            out.text("name", "(version)");
            out.text("description", "The version itself");
        });
    });
}

void write_document_path(JsonWriter& out, std::string_view path, std::string_view id, std::string_view summary,
                         std::string_view media) {
    out.object(path, [&] {
        out.object("get", [&] {
            out.texts("tags", std::array<std::string_view, 1>{"(version)"});
            out.text("operationId", id);
            out.text("summary", summary);
            out.object("responses", [&] {
                out.object("200", [&] {
                    out.text("description", "The description, as far as the caller's role may use the version");
                    out.object("content",
                               [&] { out.object(media, [&] { out.object("schema", [&] { out.text("type", "object"); }); }); });
                });
                write_failures(out);
            });
        });
    });
}

void write_components(JsonWriter& out, const Description& description) {
    out.object("components", [&] {
        write_schemas(out, description);
        write_parameters(out, description);
        write_responses(out, description);
        write_headers(out, description);
        out.object("securitySchemes", [&] {
            out.object("bearer", [&] {
                out.text("type", "http");
                out.text("scheme", "bearer");
                out.text("bearerFormat", "JWT");
                out.text("description",
                         "The role that the token names decides what is there; without one, the anonymous role.");
            });
        });
    });
}

}  // namespace

std::string component_key(std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') {
            out += c;
        } else {
            out += '.';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

bool has_row_schema(const Description& description, const routes::Resource& resource) {
    for (const GrantedResource& granted : description.grants.resources)
        if (granted.resource == &resource) return granted.select;
    return false;
}

std::string write_openapi(const Description& description) {
    JsonWriter out;
    out.object([&] {
        out.text("openapi", "3.1.0");
        write_info(out, description);
        write_servers(out, description.server);
        out.array("security", [&] {  // a token, or none
            out.object([] {});
            out.object([&] { out.array("bearer", [] {}); });
        });
        write_tags(out, description);
        out.object("paths", [&] {
            write_document_path(out, "/", "swagger", "This version as OpenAPI 2.0", "application/openapi+json");
            write_document_path(out, "/openapi.json", "openapi", "This version as OpenAPI 3.1", "application/json");
            write_resource_paths(out, description);
            write_function_paths(out, description);
        });
        write_components(out, description);
        if (const std::string& docs = description.api->table().docs_url; !docs.empty())
            out.object("externalDocs", [&] { out.text("url", docs); });
    });
    return out.take();
}

}  // namespace millrace::openapi
