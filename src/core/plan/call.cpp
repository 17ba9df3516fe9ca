// Resolves a call: the overload, its arguments, and a read of the rows that it returns.
#include <algorithm>

#include "overload.hpp"
#include "place.hpp"
#include "select.hpp"
#include "structure.hpp"

namespace millrace::plan {
namespace {

using catalog::Parameter;
using request::ApiRequest;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view form = "application/x-www-form-urlencoded";

// Arguments that are no JSON: of a GET, or of a form.
const Pairs* direct_arguments(const ApiRequest& request, const request::Payload& payload) {
    if (request.safe) return &request.call_arguments;
    return request.content_type == form ? &payload.arguments : nullptr;
}

CallShape shape_of(const ApiRequest& request, const request::Payload& payload) {
    CallShape shape{{}, request.content_type, request.safe};
    if (const Pairs* direct = direct_arguments(request, payload)) {
        for (const auto& [name, value] : *direct) shape.names.insert(name);
    } else if (request.has_columns && shape.posts_json()) {
        shape.names.insert(request.columns.begin(), request.columns.end());
    } else if (!payload.raw) {
        shape.names.insert(payload.keys.begin(), payload.keys.end());
    }
    return shape;
}

// {"a","b"}: a variadic argument's elements in the order in which they came.
std::string array_of(const Pairs& arguments, const std::string& name) {
    std::string out = "{";
    for (const auto& [given, value] : arguments) {
        if (given != name) continue;
        out += out.size() == 1 ? "\"" : ",\"";
        for (const char c : value) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out += '}';
}

// Of a repeated name the last value counts.
std::string last_of(const Pairs& arguments, const std::string& name) {
    const auto found = std::find_if(arguments.rbegin(), arguments.rend(), [&](const auto& pair) { return pair.first == name; });
    return found == arguments.rend() ? std::string() : found->second;
}

// No text of Postgres holds a NUL, and it would end the parameter there.
Error null_character() {
    Error error = Error::of(Fault::bad_body, "invalid byte sequence for encoding \"UTF8\": 0x00");
    error.code = "22021";
    return error;
}

// The single parameter without a name: it takes the body.
Result<void> give_body(Call& call, const ApiRequest& request, request::Payload payload) {
    call.parameters = {&call.function->parameters.front()};
    call.body = request.safe || request.content_type == form ? "{}" : std::move(payload.json);
    if (call.parameters.front()->type != "bytea" && call.body.find('\0') != std::string::npos) return null_character();
    return {};
}

Result<void> give_named(Call& call, const CallShape& shape, const ApiRequest& request, request::Payload payload) {
    for (const Parameter& parameter : call.function->parameters)
        if (shape.names.contains(parameter.name)) call.parameters.push_back(&parameter);
    const Pairs* direct = direct_arguments(request, payload);
    if (direct == nullptr) {
        call.body = std::move(payload.json);
        call.body_is_array = payload.is_array;
        return {};
    }
    for (const Parameter* parameter : call.parameters) {
        call.values.push_back(parameter->variadic ? array_of(*direct, parameter->name) : last_of(*direct, parameter->name));
        if (call.values.back().find('\0') != std::string::npos) return null_character();
    }
    return {};
}

Result<void> give_arguments(Call& call, const CallShape& shape, const ApiRequest& request, request::Payload payload) {
    const auto& parameters = call.function->parameters;
    if (parameters.size() == 1 && parameters.front().name.empty()) return give_body(call, request, std::move(payload));
    return give_named(call, shape, request, std::move(payload));
}

Result<ReadNode> plan_rows(const ApiRequest& request, const routes::Resource& result, const Options& options) {
    auto rows = plan_select(result, request.select, options);
    if (!rows) return rows;
    if (auto placed = place(*rows, request, Where::rows_of_call, options); !placed) return std::move(placed).error();
    return rows;
}

}  // namespace

Result<Plan> make_call(const ApiRequest& request, request::Payload payload, const routes::ApiCatalog& api,
                       const routes::ApiFunction& function, const Options& options) {
    const CallShape shape = shape_of(request, payload);
    auto overload = find_overload(shape, api, function);
    if (!overload) return std::move(overload).error();
    auto rows = plan_rows(request, *(*overload)->result, options);
    if (!rows) return first_mistake(std::move(rows).error(), request, *(*overload)->result, options);
    cap(rows->window, function.policies.page_size_max);

    Call call;
    call.function = (*overload)->function;
    call.read_only = request.safe || call.function->volatility != catalog::Volatility::is_volatile;
    call.rows = *std::move(rows);
    call.count = request.preferences.count;
    if (auto given = give_arguments(call, shape, request, std::move(payload)); !given) return std::move(given).error();
    return Plan(std::move(call));
}

}  // namespace millrace::plan
