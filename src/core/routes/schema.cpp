// Prints the JSON Schema of a route table from the tables of its fields.
#include "reader.hpp"

namespace millrace::routes {
namespace {

template <class T>
void add_properties(Json& object, const std::vector<Field<T>>& fields) {
    for (const Field<T>& field : fields) {
        Json& property = object["properties"][std::string(field.name)];
        property = Json::parse(field.schema);
        property["description"] = std::string(field.help);
    }
}

Json closed_object() { return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}}; }

}  // namespace

std::string json_schema() {
    Json cache = closed_object(), policies = closed_object(), resource = closed_object(), function = closed_object();
    Json upstream = closed_object(), upstream_route = closed_object();
    add_properties(cache, cache_fields());
    add_properties(policies, policy_fields());
    add_properties(resource, resource_fields());
    add_properties(resource, policy_fields());
    add_properties(function, function_fields());
    add_properties(function, policy_fields());
    add_properties(upstream, upstream_fields());
    add_properties(upstream_route, upstream_route_fields());
    add_properties(upstream_route, policy_fields());

    Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "A route table of millrace: what one version shows of a database"}};
    schema.update(closed_object());
    add_properties(schema, table_fields());
    schema["$defs"] = {{"cache", cache},       {"policies", policies}, {"resource", resource},
                       {"function", function}, {"upstream", upstream}, {"upstream_route", upstream_route}};
    return schema.dump(2) + "\n";
}

}  // namespace millrace::routes
