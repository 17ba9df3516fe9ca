// Words the two failures of a call, PGRST202 and PGRST203, naming only what the version shows.
#include <algorithm>

#include "millrace/core/text.hpp"
#include "overload.hpp"

namespace millrace::plan {
namespace {

// Suggestions cost little whatever is asked for.
constexpr std::size_t word_bytes_max = 128, names_max = 2000;

// PostgREST's: names of functions must not be guessed, those of parameters may.
constexpr double function_likeness = 0.75, parameters_likeness = 0.33;

template <class Strings>
std::string joined(const Strings& strings) {
    std::string out;
    for (const std::string& each : strings) out += (out.empty() ? "" : ", ") + each;
    return out;
}

std::string parameter_list(std::vector<std::string> names) {
    std::ranges::sort(names);
    return "(" + joined(names) + ")";
}

std::vector<std::string> names_of(const catalog::Function& function) {
    std::vector<std::string> names;
    for (const catalog::Parameter& parameter : function.parameters) names.push_back(parameter.name);
    return names;
}

std::optional<std::string> similar(const std::string& word, const std::vector<std::string>& candidates, double least) {
    if (word.size() > word_bytes_max || candidates.size() > names_max) return std::nullopt;
    return text::most_similar(word, candidates, least);
}

// Another function when there is none of that name, else other arguments.
std::optional<std::string> meant(const CallShape& shape, const routes::ApiCatalog& api, const routes::ApiFunction& function) {
    std::vector<std::string> candidates;
    if (function.overloads.empty()) {
        const auto for_all = [](const routes::Overload& overload) { return overload.function->anonymous_may_execute; };
        for (const auto& each : api.functions())
            if (std::ranges::any_of(each->overloads, for_all)) candidates.push_back(each->name);
        return similar(function.name, candidates, function_likeness);
    }
    for (const routes::Overload& overload : function.overloads)
        candidates.push_back(parameter_list(names_of(*overload.function)));
    const std::string given = parameter_list({shape.names.begin(), shape.names.end()});
    const auto found = similar(given, candidates, parameters_likeness);
    return found ? std::optional(function.name + *found) : std::nullopt;
}

std::string searched_for(const CallShape& shape, const std::string& names) {
    if (!shape.body_type().empty()) return " with a single unnamed " + std::string(shape.body_type()) + " parameter";
    std::string out = shape.names.empty()       ? " without parameters"
                      : shape.names.size() == 1 ? " with parameter " + names
                                                : " with parameters " + names;
    if (shape.posts_json()) out += " or with a single unnamed json/jsonb parameter";
    return out;
}

}  // namespace

Error no_such_function(const CallShape& shape, const routes::ApiCatalog& api, const routes::ApiFunction& function) {
    const std::string name = api.table().schema + "." + function.name, names = joined(shape.names);
    const bool by_body = !shape.body_type().empty();
    const std::string called_with = by_body ? "" : shape.names.empty() ? " without parameters" : "(" + names + ")";
    Error error = Error::of(Fault::no_function, "Could not find the function " + name + called_with + " in the schema cache");
    error.details =
        "Searched for the function " + name + searched_for(shape, names) + ", but no matches were found in the schema cache.";
    if (by_body) return error;
    if (const auto other = meant(shape, api, function))
        error.hint = "Perhaps you meant to call the function " + api.table().schema + "." + *other;
    return error;
}

Error ambiguous_call(const routes::ApiCatalog& api, const routes::ApiFunction& function,
                     const std::vector<const routes::Overload*>& found) {
    std::string candidates;
    for (const routes::Overload* overload : found) {
        std::vector<std::string> parameters;
        for (const catalog::Parameter& parameter : overload->function->parameters)
            parameters.push_back(parameter.name + " => " + parameter.type);
        candidates +=
            (candidates.empty() ? "" : ", ") + api.table().schema + "." + function.name + "(" + joined(parameters) + ")";
    }
    return Error::of(Fault::ambiguous_function, "Could not choose the best candidate function between: " + candidates)
        .with_hint(
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved");
}

}  // namespace millrace::plan
