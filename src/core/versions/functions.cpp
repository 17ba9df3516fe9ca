// Functions: a call that fitted an overload must fit one still, and its result must look as it did.
#include <algorithm>

#include "findings.hpp"

namespace millrace::versions {
namespace {

using catalog::Parameter;
using routes::Overload;

const Parameter* find(const catalog::Function& function, std::string_view name) {
    const auto found = std::ranges::find(function.parameters, name, &Parameter::name);
    return found == function.parameters.end() ? nullptr : &*found;
}

std::string shown(const Parameter& parameter) { return parameter.name.empty() ? "the unnamed parameter" : parameter.name; }

// What stands in the way of calls made for `older`.
std::vector<std::string> obstacles(const catalog::Function& older, const catalog::Function& newer) {
    std::vector<std::string> out;
    for (const Parameter& was : older.parameters) {
        const Parameter* is = find(newer, was.name);
        if (is == nullptr)
            out.push_back(shown(was) + " is gone");
        else if (is->type != was.type || is->variadic != was.variadic)
            out.push_back(shown(was) + " is " + is->type + ", was " + was.type);
        else if (was.has_default && !is->has_default)
            out.push_back(shown(was) + " must be given now");
    }
    for (const Parameter& is : newer.parameters)
        if (find(older, is.name) == nullptr && !is.has_default && !is.variadic)
            out.push_back(shown(is) + " is new and must be given");
    return out;
}

void compare_results(const std::string& where, const Overload& older, const Overload& newer, Findings& out) {
    const catalog::Function &was = *older.function, &is = *newer.function;
    const bool both_rows = older.rows != nullptr && newer.rows != nullptr;
    if (was.returns_set != is.returns_set || (!both_rows && was.return_type != is.return_type))
        return out.breaks(where, "the result is " + std::string(is.returns_set ? "a set of " : "") + is.return_type + ", was " +
                                     (was.returns_set ? "a set of " : "") + was.return_type);
    if (both_rows) compare_read_columns(where, *older.rows, *newer.rows, out);
    if (was.media_type != is.media_type) out.breaks(where, "the media type of the result is another one");
}

std::string signature(const catalog::Function& function) {
    std::string out = "(";
    for (const Parameter& each : function.parameters) out += (out.size() > 1 ? ", " : "") + each.name;
    return out + ")";
}

void compare_overload(const routes::ApiFunction& older, const Overload& was, const routes::ApiFunction& newer, Findings& out) {
    const std::string where = older.overloads.size() > 1 ? older.route + signature(*was.function) : older.route;
    const Overload* nearest = nullptr;
    std::vector<std::string> fewest;
    for (const Overload& is : newer.overloads) {
        std::vector<std::string> here = obstacles(*was.function, *is.function);
        if (nearest != nullptr && here.size() >= fewest.size()) continue;
        nearest = &is;
        fewest = std::move(here);
    }
    for (const std::string& each : fewest) out.breaks(where, each);
    if (nearest == nullptr || !fewest.empty()) return;
    for (const Parameter& is : nearest->function->parameters)
        if (find(*was.function, is.name) == nullptr) out.adds(where, shown(is) + " may be given");
    compare_results(where, was, *nearest, out);
}

}  // namespace

void compare_functions(const routes::ApiFunction& older, const routes::ApiFunction& newer, Findings& out) {
    for (const Overload& was : older.overloads) compare_overload(older, was, newer, out);
    if (newer.overloads.size() > older.overloads.size()) out.adds(older.route, "more ways to call it");
}

}  // namespace millrace::versions
