// Resolves filters and puts them onto the nodes that they are for.
#include <algorithm>

#include "locate.hpp"
#include "names.hpp"
#include "place.hpp"
#include "select.hpp"

namespace millrace::plan {
namespace {

using request::Operator;

Error not_a_null_test(const std::string& name) {
    return Error::of(Fault::embed_filter_not_null_test, "Bad operator on the '" + name + "' embedded resource")
        .with_details("Only is null or not is null filters are allowed on embedded resources");
}

// "clients=is.null", "clients=not.is.null", "clients=is.not_null".
std::optional<bool> tests_presence(const request::Condition& condition) {
    if (condition.op != Operator::is || !condition.field.json.empty()) return std::nullopt;
    if (condition.value == "null") return condition.negated;
    if (condition.value == "not_null") return !condition.negated;
    return std::nullopt;
}

Result<Filter> plan_condition(const ReadNode& node, const request::Condition& condition) {
    const ReadNode* embed = find_embed(node, condition.field.column);
    if (embed != nullptr) {
        if (auto present = tests_presence(condition)) return Filter{EmbedTest{embed->key, *present}};
        if (find_readable(*node.resource, condition.field.column) == nullptr) return not_a_null_test(embed->key);
    }
    auto field = resolve(*node.resource, condition.field);
    if (!field) return std::move(field).error();
    return Filter{Condition{*std::move(field), condition}};
}

Result<Filter> plan_junction(const ReadNode& node, const request::Junction& junction, unsigned depth) {
    if (depth >= filter_depth_max) return Error::of(Fault::bad_query, "The filter is nested too deeply");
    Junction out{junction.negated, junction.any, {}};
    out.children.reserve(junction.children.size());
    for (const request::FilterNode& child : junction.children) {
        auto planned = plan_filter(node, child, depth + 1);
        if (!planned) return planned;
        out.children.push_back(*std::move(planned));
    }
    return Filter{std::move(out)};
}

}  // namespace

Result<Filter> plan_filter(const ReadNode& node, const request::FilterNode& filter, unsigned depth) {
    if (const auto* condition = std::get_if<request::Condition>(&filter.node)) return plan_condition(node, *condition);
    return plan_junction(node, std::get<request::Junction>(filter.node), depth);
}

Result<void> place_filters(ReadNode& root, const request::ApiRequest& request, Where where, const Options& options) {
    for (const auto& [path, what] : request.filters) {
        if (path.empty() && where == Where::below_root) continue;
        auto node = locate(root, path, options);
        if (!node) return std::move(node).error();
        auto filter = plan_filter(**node, what);
        if (!filter) return std::move(filter).error();
        (*node)->filters.push_back(*std::move(filter));
    }
    return {};
}

}  // namespace millrace::plan
