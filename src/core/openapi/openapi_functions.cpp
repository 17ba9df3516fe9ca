// The paths of functions in OpenAPI 3.1: their arguments, and what they return.
#include <algorithm>
#include <array>

#include "openapi.hpp"
#include "shared.hpp"
#include "types.hpp"

namespace millrace::openapi {
namespace {

using catalog::Function;
using catalog::ResultKind;
using message::Method;
using routes::Overload;

struct Context {
    JsonWriter& out;
    const Description& description;
    const GrantedFunction& granted;
    std::string key;
};

// Of a function with one parameter without a name the body is the argument.
bool takes_the_body(const Function& function) {
    return function.parameters.size() == 1 && function.parameters.front().name.empty();
}

void write_arguments(JsonWriter& out, const Function& function) {
    out.object([&] {
        if (takes_the_body(function)) return write_value_schema(out, function.parameters.front().type);
        out.text("type", "object");
        std::vector<std::string_view> required;
        out.object("properties", [&] {
            for (const catalog::Parameter& parameter : function.parameters) {
                if (!parameter.has_default) required.push_back(parameter.name);
                out.object(parameter.name, [&] { write_value_schema(out, parameter.type); });
            }
        });
        if (!required.empty()) out.texts("required", required);
        out.flag("additionalProperties", false);
    });
}

std::string_view body_media(const Function& function) {
    if (!takes_the_body(function)) return "application/json";
    const std::string_view type = function.parameters.front().type;
    if (type == "text") return "text/plain";
    if (type == "xml") return "text/xml";
    return type == "bytea" ? "application/octet-stream" : "application/json";
}

// Each kind of body with the functions that take it; the body alone tells them apart.
void write_body(const Context& context) {
    JsonWriter& out = context.out;
    std::vector<std::string_view> kinds;
    for (const Overload* overload : context.granted.overloads)
        if (const auto kind = body_media(*overload->function); std::ranges::find(kinds, kind) == kinds.end())
            kinds.push_back(kind);
    out.object("requestBody", [&] {
        out.object("content", [&] {
            for (const std::string_view kind : kinds)
                out.object(kind, [&] {
                    std::vector<const Function*> taking;
                    for (const Overload* overload : context.granted.overloads)
                        if (body_media(*overload->function) == kind) taking.push_back(overload->function);
                    out.key("schema");
                    // What takes any body takes those of the others too.
                    if (const auto any =
                            std::ranges::find_if(taking, [](const Function* each) { return takes_the_body(*each); });
                        any != taking.end())
                        return write_arguments(out, **any);
                    if (taking.size() == 1) return write_arguments(out, *taking.front());
                    out.object([&] {
                        out.array("anyOf", [&] {
                            for (const Function* function : taking) write_arguments(out, *function);
                        });
                    });
                });
        });
    });
}

void write_one(const Context& context, const Overload& overload) {
    JsonWriter& out = context.out;
    out.object([&] {
        if (overload.rows != nullptr) {
            if (has_row_schema(context.description, *overload.rows))
                return out.text("$ref", "#/components/schemas/" + component_key(overload.rows->name));
            return write_row_schema(out, *overload.rows);
        }
        if (overload.function->result == ResultKind::record) return out.text("type", "object");
        write_value_schema(out, overload.function->return_type);
    });
}

void write_result(const Context& context, const Overload& overload) {
    JsonWriter& out = context.out;
    if (!overload.function->returns_set) return write_one(context, overload);
    out.object([&] {
        out.text("type", "array");
        out.key("items");
        write_one(context, overload);
    });
}

std::string_view result_media(const Function& function) {
    return function.media_type.empty() || function.media_type == "*/*" ? "application/json"
                                                                       : std::string_view(function.media_type);
}

// Several functions of a name are described by the one with most parameters, as in OpenAPI 2.0.
void write_responses(const Context& context, const Overload& overload) {
    JsonWriter& out = context.out;
    const bool nothing = overload.function->result == ResultKind::is_void;
    out.object("responses", [&] {
        out.object(nothing ? "204" : "200", [&] {
            out.text("description", nothing ? "Done" : "What the function returns");
            write_response_headers(out, context.description, !nothing && overload.function->returns_set);
            if (nothing) return;
            out.object("content", [&] {
                out.object(result_media(*overload.function), [&] {
                    out.key("schema");
                    if (!overload.function->media_type.empty()) return out.object([] {});
                    write_result(context, overload);
                });
            });
        });
        write_failures(out);
    });
}

void write_call(const Context& context, const Overload& overload, bool as_query) {
    JsonWriter& out = context.out;
    const Function& function = *overload.function;
    const Words words = split_comment(function.comment);
    out.object(as_query ? "get" : "post", [&] {
        out.texts("tags", std::array<std::string_view, 1>{"(rpc)"});
        out.text("operationId", (as_query ? "query-" : "call-") + context.key);
        out.text("summary", words.summary.empty() ? "Call " + context.granted.function->name : std::string(words.summary));
        if (!words.description.empty()) out.text("description", words.description);
        if (context.description.api->table().deprecated) out.flag("deprecated", true);
        write_call_parameters(out, function, as_query, overload.rows != nullptr);
        if (!as_query) write_body(context);
        write_responses(context, overload);
    });
}

}  // namespace

void write_function_paths(JsonWriter& out, const Description& description) {
    for (const GrantedFunction& granted : description.grants.functions) {
        const Overload& overload = *granted.overloads.back();
        const Context context{out, description, granted, component_key(granted.function->name)};
        const routes::ResolvedPolicies& policies = granted.function->policies;
        out.object("/rpc/" + text::percent_encode(granted.function->name), [&] {
            if (is_readable(*overload.function) && !takes_the_body(*overload.function) && allows(policies, Method::get))
                write_call(context, overload, true);
            if (allows(policies, Method::post)) write_call(context, overload, false);
        });
    }
}

}  // namespace millrace::openapi
