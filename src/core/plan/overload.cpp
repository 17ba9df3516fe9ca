// Chooses an overload by the names of the arguments; one that takes the whole body is the last resort (PostgREST, "Functions
// as RPC").
#include "overload.hpp"

#include <algorithm>

namespace millrace::plan {
namespace {

using catalog::Parameter;
using Parameters = std::vector<Parameter>;

bool has(const Parameters& parameters, const std::string& name) {
    return std::ranges::find(parameters, name, &Parameter::name) != parameters.end();
}

// Every name is a parameter's, and no parameter without a default is missing.
bool names_fit(const CallShape& shape, const Parameters& parameters) {
    if (parameters.empty() && !shape.body_type().empty()) return false;
    return std::ranges::all_of(shape.names, [&](const std::string& name) { return has(parameters, name); }) &&
           std::ranges::all_of(parameters, [&](const Parameter& p) { return p.has_default || shape.names.contains(p.name); });
}

bool takes_body(const CallShape& shape, const Parameters& parameters) {
    if (shape.safe || parameters.size() != 1 || !parameters.front().name.empty()) return false;
    const std::string& type = parameters.front().type;
    return shape.posts_json() ? type == "json" || type == "jsonb" : !shape.body_type().empty() && type == shape.body_type();
}

}  // namespace

std::string_view CallShape::body_type() const {
    if (safe) return {};
    if (content_type == "text/plain") return "text";
    if (content_type == "text/xml") return "xml";
    if (content_type == "application/octet-stream") return "bytea";
    return {};
}

Result<const routes::Overload*> find_overload(const CallShape& shape, const routes::ApiCatalog& api,
                                              const routes::ApiFunction& function) {
    std::vector<const routes::Overload*> by_names, by_body;
    for (const routes::Overload& overload : function.overloads) {
        const Parameters& parameters = overload.function->parameters;
        if (names_fit(shape, parameters)) {
            by_names.push_back(&overload);
        } else if (takes_body(shape, parameters)) {
            by_body.push_back(&overload);
        }
    }
    const auto& found = by_names.empty() ? by_body : by_names;
    if (found.empty()) return no_such_function(shape, api, function);
    if (found.size() > 1) return ambiguous_call(api, function, found);
    return found.front();
}

}  // namespace millrace::plan
