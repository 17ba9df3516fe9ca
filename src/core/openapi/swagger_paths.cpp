// The paths of OpenAPI 2.0: the root, a path for each resource, a path for each function.
#include <array>

#include "shared.hpp"
#include "swagger.hpp"
#include "types.hpp"

namespace millrace::openapi {
namespace {

using catalog::Parameter;
using message::Method;
using routes::Resource;

constexpr std::array<std::string_view, 2> root_media = {"application/openapi+json", "application/json"};
constexpr std::array<std::string_view, 3> call_media = {"application/json", "application/vnd.pgrst.object+json;nulls=stripped",
                                                        "application/vnd.pgrst.object+json"};

struct Operation {
    std::string_view method, tag;
    Words words;
};

// Tags and words of an operation, then what is its own.
template <class Body>
void write_operation(JsonWriter& out, const Operation& operation, Body&& body) {
    out.object(operation.method, [&] {
        out.texts("tags", std::array{operation.tag});
        if (!operation.words.summary.empty()) out.text("summary", operation.words.summary);
        if (!operation.words.description.empty()) out.text("description", operation.words.description);
        body();
    });
}

void write_response(JsonWriter& out, std::string_view status, std::string_view description) {
    out.object("responses", [&] { out.object(status, [&] { out.text("description", description); }); });
}

void write_root(JsonWriter& out) {
    out.object("/", [&] {
        write_operation(out, {"get", "Introspection", {"OpenAPI description (this document)", {}}}, [&] {
            out.texts("produces", root_media);
            write_response(out, "200", "OK");
        });
    });
}

void write_filters(JsonWriter& out, const Resource& resource) {
    for (const routes::ApiColumn& column : resource.columns)
        if (is_plain(column)) out.reference("#/parameters/rowFilter." + resource.name + "." + column.name);
}

void write_common(JsonWriter& out, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) out.reference("#/parameters/" + std::string(name));
}

void write_get(JsonWriter& out, const Resource& resource) {
    write_operation(out, {"get", resource.name, split_comment(resource.relation->comment)}, [&] {
        out.array("parameters", [&] {
            write_filters(out, resource);
            write_common(out, {"select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"});
        });
        out.object("responses", [&] {
            out.object("200", [&] {
                out.text("description", "OK");
                out.object("schema", [&] {
                    out.text("type", "array");
                    out.key("items");
                    out.reference("#/definitions/" + resource.name);
                });
            });
            out.object("206", [&] { out.text("description", "Partial Content"); });
        });
    });
}

void write_post(JsonWriter& out, const Resource& resource) {
    write_operation(out, {"post", resource.name, split_comment(resource.relation->comment)}, [&] {
        out.array("parameters", [&] { write_common(out, {"body." + resource.name, "select", "preferPost"}); });
        write_response(out, "201", "Created");
    });
}

void write_patch(JsonWriter& out, const Resource& resource) {
    write_operation(out, {"patch", resource.name, split_comment(resource.relation->comment)}, [&] {
        out.array("parameters", [&] {
            write_filters(out, resource);
            write_common(out, {"body." + resource.name, "preferReturn"});
        });
        write_response(out, "204", "No Content");
    });
}

void write_delete(JsonWriter& out, const Resource& resource) {
    write_operation(out, {"delete", resource.name, split_comment(resource.relation->comment)}, [&] {
        out.array("parameters", [&] {
            write_filters(out, resource);
            write_common(out, {"preferReturn"});
        });
        write_response(out, "204", "No Content");
    });
}

// PostgREST shows every write where one is possible; here a route table may have taken methods away.
bool shows_write(const Resource& resource, Method method) {
    const catalog::Relation& relation = *resource.relation;
    if (!relation.insertable && !relation.updatable && !relation.deletable) return false;
    const bool restricted = (relation.insertable && !resource.allows(Method::post)) ||
                            (relation.updatable && !resource.allows(Method::patch)) ||
                            (relation.deletable && !resource.allows(Method::del));
    return !restricted || resource.allows(method);
}

void write_resource(JsonWriter& out, const Resource& resource) {
    out.object("/" + resource.name, [&] {
        if (resource.allows(Method::get)) write_get(out, resource);
        if (shows_write(resource, Method::post)) write_post(out, resource);
        if (shows_write(resource, Method::patch)) write_patch(out, resource);
        if (shows_write(resource, Method::del)) write_delete(out, resource);
    });
}

// A function's type names leave out the schemas that a call would find them in; with privileges ignored nobody calls.
struct Call {
    const catalog::Function& function;
    const std::vector<std::string>& schemas;

    [[nodiscard]] std::string_view type(const Parameter& parameter) const {
        for (const std::string& schema : schemas)
            if (const auto name = without_schema(parameter.type, schema); name.size() < parameter.type.size()) return name;
        return parameter.type;
    }
};

void write_query_parameter(JsonWriter& out, const Call& call, const Parameter& parameter) {
    const std::string_view type = call.type(parameter);
    out.object([&] {
        out.text("name", parameter.name);
        out.flag("required", !parameter.has_default);
        out.text("in", "query");
        const TypeRow& row = type_row(type);
        if (!parameter.variadic) {  // an array is written as {1,2}
            out.text("type", is_array(type) || row.swagger_type.empty() ? "string" : row.swagger_type);
            out.text("format", row.swagger_format.empty() ? type : row.swagger_format);
            return;
        }
        out.text("type", is_array(type) ? "array" : "string");
        out.text("collectionFormat", "multi");
        const std::string_view element = is_array(type) ? element_of(type) : type;
        const TypeRow& of = type_row(element);
        out.object("items", [&] {
            if (!of.swagger_type.empty()) out.text("type", of.swagger_type);
            out.text("format", of.swagger_format.empty() ? element : of.swagger_format);
        });
    });
}

void write_arguments(JsonWriter& out, const Call& call) {
    std::vector<std::string_view> required;
    for (const Parameter& parameter : call.function.parameters)
        if (!parameter.has_default) required.push_back(parameter.name);
    if (!call.function.comment.empty()) out.text("description", call.function.comment);
    if (!required.empty()) out.texts("required", required);
    if (!call.function.parameters.empty())
        out.object("properties", [&] {
            for (const Parameter& parameter : call.function.parameters)
                out.object(parameter.name, [&] { write_swagger_type(out, call.type(parameter)); });
        });
    out.text("type", "object");
}

void write_call(JsonWriter& out, const Call& call, Operation operation) {
    write_operation(out, operation, [&] {
        out.texts("produces", call_media);
        if (operation.method == "post")
            out.array("parameters", [&] {
                out.object([&] {
                    out.text("name", "args");
                    out.flag("required", true);
                    out.text("in", "body");
                    out.object("schema", [&] { write_arguments(out, call); });
                });
                write_common(out, {"preferParams"});
            });
        else if (!call.function.parameters.empty())
            out.array("parameters", [&] {
                for (const Parameter& parameter : call.function.parameters) write_query_parameter(out, call, parameter);
            });
        write_response(out, "200", "OK");
    });
}

// Of several functions of a name the one with most parameters stands for all.
void write_function(JsonWriter& out, const GrantedFunction& granted, const std::vector<std::string>& schemas) {
    const Call call{*granted.overloads.back()->function, schemas};
    const std::string& name = granted.function->name;
    const std::string tag = "(rpc) " + name;
    const Words words = split_comment(call.function.comment);
    out.object("/rpc/" + name, [&] {
        const routes::ResolvedPolicies& policies = granted.function->policies;
        if (is_readable(call.function) && allows(policies, Method::get)) write_call(out, call, {"get", tag, words});
        if (allows(policies, Method::post)) write_call(out, call, {"post", tag, words});
    });
}

}  // namespace

void write_swagger_paths(JsonWriter& out, const Description& description) {
    std::vector<std::string> schemas;
    if (description.options.mode == Mode::follow_privileges) {
        schemas = description.options.search_path;
        schemas.insert(schemas.begin(), description.api->table().schema);
    }
    out.object("paths", [&] {
        write_root(out);
        for (const GrantedResource& granted : description.grants.resources) write_resource(out, *granted.resource);
        for (const GrantedFunction& granted : description.grants.functions) write_function(out, granted, schemas);
    });
}

}  // namespace millrace::openapi
