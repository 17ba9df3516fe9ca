// The paths of resources in OpenAPI 3.1: the methods that the route allows and the caller's privileges can use.
#include <array>

#include "openapi.hpp"
#include "shared.hpp"

namespace millrace::openapi {
namespace {

using message::Method;
using routes::Resource;

struct Operation {
    std::string_view method, verb, summary;  // "read" names the operation, "Read rows of" is what it does
    Use use;
};

struct Context {
    JsonWriter& out;
    const Description& description;
    const GrantedResource& granted;
    std::string key;
};

std::string joined(std::string_view a, char between, std::string_view b) {
    std::string out(a);
    out += between;
    out += b;
    return out;
}

void write_operation(const Context& context, const Operation& operation, auto&& body) {
    JsonWriter& out = context.out;
    const Resource& resource = *context.granted.resource;
    const std::string_view words = split_comment(resource.relation->comment).description;
    out.object(operation.method, [&] {
        out.texts("tags", std::array{resource.name});
        out.text("operationId", joined(operation.verb, '-', context.key));
        out.text("summary", joined(operation.summary, ' ', resource.name));
        if (!words.empty()) out.text("description", words);
        if (context.description.api->table().deprecated) out.flag("deprecated", true);
        write_parameter_references(out, resource, operation.use);
        body();
    });
}

void write_body(const Context& context, std::string_view schema, bool many) {
    JsonWriter& out = context.out;
    const std::string one = "#/components/schemas/" + context.key + std::string(schema);
    out.object("requestBody", [&] {
        out.flag("required", true);
        out.object("content", [&] {
            out.object("application/json", [&] {
                out.object("schema", [&] {
                    if (!many) return out.text("$ref", one);
                    out.array("oneOf", [&] {
                        out.reference(one);
                        out.object([&] {
                            out.text("type", "array");
                            out.key("items");
                            out.reference(one);
                        });
                    });
                });
            });
            out.object("application/x-www-form-urlencoded", [&] { out.object("schema", [&] { out.text("$ref", one); }); });
            if (many) out.object("text/csv", [&] { out.object("schema", [&] { out.text("type", "string"); }); });
        });
    });
}

void write_status(const Context& context, std::string_view status, std::string_view words) {
    context.out.object(status, [&] {
        context.out.text("description", words);
        write_response_headers(context.out, context.description, false);
    });
}

// Rows, where the caller may read them.
void write_rows(const Context& context, std::string_view status, std::string_view otherwise) {
    JsonWriter& out = context.out;
    if (context.granted.select) {
        out.key(status);
        return out.reference("#/components/responses/" + context.key);
    }
    write_status(context, status, otherwise);
}

void write_get(const Context& context) {
    write_operation(context, {"get", "read", "Read rows of", Use::read}, [&] {
        context.out.object("responses", [&] {
            write_rows(context, "200", {});
            write_rows(context, "206", {});
            write_failures(context.out);
        });
    });
}

void write_post(const Context& context) {
    write_operation(context, {"post", "insert", "Insert rows into", Use::insert}, [&] {
        write_body(context, "-insert", true);
        context.out.object("responses", [&] {
            write_rows(context, "200", "Every row was there already");
            write_rows(context, "201", "The rows are there");
            write_failures(context.out);
        });
    });
}

void write_put(const Context& context) {
    write_operation(context, {"put", "upsert", "Insert or replace one row of", Use::upsert}, [&] {
        write_body(context, "-insert", false);
        context.out.object("responses", [&] {
            write_rows(context, "200", "The row was replaced");
            write_rows(context, "201", "The row is there");
            write_status(context, "204", "The row is as the body says");
            write_failures(context.out);
        });
    });
}

void write_change(const Context& context, const Operation& operation, bool with_body) {
    write_operation(context, operation, [&] {
        if (with_body) write_body(context, "-update", false);
        context.out.object("responses", [&] {
            write_rows(context, "200", "Done");
            write_status(context, "204", "Done");
            write_failures(context.out);
        });
    });
}

}  // namespace

void write_resource_paths(JsonWriter& out, const Description& description) {
    for (const GrantedResource& granted : description.grants.resources) {
        const Resource& resource = *granted.resource;
        const Context context{out, description, granted, component_key(resource.name)};
        const auto may = [&](Method method, bool privilege) { return privilege && resource.allows(method); };
        out.object("/" + text::percent_encode(resource.name), [&] {
            if (may(Method::get, granted.select)) write_get(context);
            if (may(Method::post, granted.insert)) write_post(context);
            if (may(Method::put, granted.insert && granted.update)) write_put(context);
            if (may(Method::patch, granted.update))
                write_change(context, {"patch", "update", "Change rows of", Use::change}, true);
            if (may(Method::del, granted.del))
                write_change(context, {"delete", "delete", "Delete rows of", Use::change}, false);
        });
    }
}

}  // namespace millrace::openapi
