// Turns a parsed request into a plan: what is read, inserted, updated or deleted, with every name resolved.
#include "millrace/core/plan.hpp"

#include <algorithm>

#include "names.hpp"
#include "place.hpp"
#include "select.hpp"
#include "structure.hpp"
#include "write.hpp"

namespace millrace::plan {
namespace {

// The column of a filter that is a plain "eq", else nothing.
const catalog::Column* eq_column(const Filter& filter) {
    const auto* condition = std::get_if<Condition>(&filter.node);
    if (condition == nullptr || condition->test.negated || condition->test.op != request::Operator::eq ||
        condition->test.quantifier != request::Quantifier::none || !condition->field.json.empty())
        return nullptr;
    return condition->field.column;
}

bool by_full_key(const ReadNode& root) {
    const std::vector<const catalog::Column*> key = key_columns(*root.resource->relation, root.resource->relation->primary_key);
    if (key.empty() || root.filters.size() != key.size()) return false;
    return std::ranges::all_of(key, [&](const catalog::Column* column) {
        return std::ranges::any_of(root.filters, [&](const Filter& filter) { return eq_column(filter) == column; });
    });
}

Result<Plan> plan_read(const request::ApiRequest& request, const routes::Resource& resource, const Options& options) {
    auto root = plan_select(resource, request.select, options);
    if (!root) return std::move(root).error();
    if (auto placed = place(*root, request, Where::everywhere, options); !placed) return std::move(placed).error();
    const bool one = by_full_key(*root);
    return Plan(Read{*std::move(root), request.preferences.count, one});
}

Result<Plan> plan_action(const request::ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                         const Options& options) {
    switch (request.action) {
        case request::Action::read:
            return plan_read(request, resource, options);
        case request::Action::insert:
            return plan_insert(request, std::move(payload), resource, options);
        case request::Action::update:
            return plan_update(request, std::move(payload), resource, options);
        case request::Action::replace:
            return plan_replace(request, std::move(payload), resource, options);
        case request::Action::remove:
            return plan_remove(request, resource, options);
        case request::Action::call:
        case request::Action::inspect:
            break;
    }
    return Error::of(Fault::unsupported_feature);
}

}  // namespace

Result<Plan> make_plan(const request::ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                       const Options& options) {
    auto plan = plan_action(request, std::move(payload), resource, options);
    if (!plan) return first_mistake(std::move(plan).error(), request, resource, options);
    return plan;
}

}  // namespace millrace::plan
