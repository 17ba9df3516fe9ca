// Fills in a resource's policies: the rule, else the version's defaults, else the process' settings.
#include <algorithm>
#include <array>

#include "lens_resource.hpp"

namespace millrace::routes {
namespace {

using message::Method;

// What the relation can do, in the order of PostgREST's Allow.
std::vector<Method> possible_methods(const catalog::Relation& relation) {
    std::vector<Method> methods{Method::options, Method::get, Method::head};
    if (relation.insertable) methods.push_back(Method::post);
    if (relation.insertable && relation.updatable && !relation.key().empty()) methods.push_back(Method::put);
    if (relation.updatable) methods.push_back(Method::patch);
    if (relation.deletable) methods.push_back(Method::del);
    return methods;
}

bool lists(const std::vector<Method>& methods, Method wanted) { return std::ranges::find(methods, wanted) != methods.end(); }

bool allowed(const std::vector<Method>& listed, Method method) {
    return method == Method::options || lists(listed, method) || (method == Method::head && lists(listed, Method::get));
}

void refuse_impossible(const std::vector<Method>& listed, const std::vector<Method>& possible,
                       const catalog::Relation& relation, const Complaints& complaints) {
    for (std::size_t i = 0; i < listed.size(); ++i)
        if (!lists(possible, listed[i]))
            complaints.add("/methods/" + std::to_string(i),
                           relation.id() + " cannot do " + std::string(message::name(listed[i])));
}

std::uint64_t page_size(std::optional<std::uint64_t> wanted, std::uint64_t rows_max) {
    const std::uint64_t size = wanted.value_or(0);
    if (size == 0 || rows_max == 0) return std::max(size, rows_max);
    return std::min(size, rows_max);
}

template <class T>
std::optional<T> first_of(const std::optional<T>& rule, const std::optional<T>& defaults) {
    return rule ? rule : defaults;
}

// Access and scopes are one key: who says one of them has said both.
void resolve_gateway(ResolvedPolicies& out, const Policies& own, const Policies& defaults, const config::Settings& settings) {
    const Policies& access = own.access ? own : defaults;
    out.access = access.access.value_or(Access::standard);
    out.scopes = access.scopes.value_or(std::vector<std::string>());
    out.limits = first_of(own.limits, defaults.limits).value_or(std::vector<std::string>());
    out.cost = first_of(own.cost, defaults.cost).value_or(1);
    out.rows_per_cost = first_of(own.rows_per_cost, defaults.rows_per_cost).value_or(0);
    out.timeout_ms = std::min(first_of(own.timeout_ms, defaults.timeout_ms).value_or(settings.limits.deadline_ms),
                              settings.limits.deadline_ms);
    out.priority = first_of(own.priority, defaults.priority).value_or(Priority::normal);
    out.lanes_max = first_of(own.lanes_max, defaults.lanes_max).value_or(0);
    out.idempotency = first_of(own.idempotency, defaults.idempotency).value_or(Idempotency::optional);
    out.cors_origins = first_of(own.cors_origins, defaults.cors_origins).value_or(settings.api.cors_origins);
}

void resolve_complexity(ResolvedPolicies& out, const Policies& own, const Policies& defaults,
                        const config::LimitSettings& limits) {
    out.filters_max = first_of(own.filters_max, defaults.filters_max).value_or(limits.filters_max);
    out.embeds_max = first_of(own.embeds_max, defaults.embeds_max).value_or(limits.embeds_max);
    out.select_depth_max = first_of(own.select_depth_max, defaults.select_depth_max).value_or(limits.select_depth_max);
    out.answer_bytes_max = first_of(own.answer_bytes_max, defaults.answer_bytes_max).value_or(limits.answer_bytes_max);
    out.cost_max = first_of(own.cost_max, defaults.cost_max).value_or(limits.cost_max);
    out.filter_columns = first_of(own.filter_columns, defaults.filter_columns);
    out.filter_operators = first_of(own.filter_operators, defaults.filter_operators);
}

ResolvedPolicies resolve_limits(const Policies& own, const Policies& defaults, const config::Settings& settings) {
    ResolvedPolicies resolved;
    resolved.cache = first_of(own.cache, defaults.cache).value_or(CachePolicy{});
    resolved.standby = first_of(own.standby, defaults.standby).value_or(false);
    resolved.page_size_max = page_size(first_of(own.page_size_max, defaults.page_size_max), settings.database.rows_max);
    resolved.body_bytes_max = first_of(own.body_bytes_max, defaults.body_bytes_max).value_or(settings.http.body_bytes_max);
    resolve_gateway(resolved, own, defaults, settings);
    resolve_complexity(resolved, own, defaults, settings.limits);
    return resolved;
}

}  // namespace

// A function may do anything, so only a rule of its own puts it onto the lanes that many requests share.
ResolvedPolicies resolve_function_policies(const FunctionRule& rule, const Policies& defaults, const config::Settings& settings,
                                           const Complaints& complaints) {
    constexpr std::array possible{Method::options, Method::get, Method::head, Method::post};
    ResolvedPolicies resolved = resolve_limits(rule.policies, defaults, settings);
    resolved.route_class = rule.policies.route_class.value_or(RouteClass::slow);
    if (rule.policies.methods)
        for (std::size_t i = 0; i < rule.policies.methods->size(); ++i)
            if (std::ranges::find(possible, (*rule.policies.methods)[i]) == possible.end())
                complaints.add("/methods/" + std::to_string(i),
                               "a function cannot do " + std::string(message::name((*rule.policies.methods)[i])));
    const auto listed = first_of(rule.policies.methods, defaults.methods);
    for (const Method method : possible)
        if (!listed || allowed(*listed, method)) resolved.methods.push_back(method);
    return resolved;
}

// Nothing is known of what a service can do but what its route says. OPTIONS goes to it like the rest.
ResolvedPolicies resolve_upstream_policies(const UpstreamRule& rule, const Policies& defaults,
                                           const config::Settings& settings) {
    constexpr std::array possible{Method::options, Method::get,   Method::head, Method::post,
                                  Method::put,     Method::patch, Method::del};
    ResolvedPolicies resolved = resolve_limits(rule.policies, defaults, settings);
    resolved.cache = rule.policies.cache.value_or(CachePolicy{});
    const auto listed = first_of(rule.policies.methods, defaults.methods);
    for (const Method method : possible)
        if (!listed || allowed(*listed, method)) resolved.methods.push_back(method);
    return resolved;
}

ResolvedPolicies resolve_policies(const catalog::Relation& relation, const ResourceRule& rule, const Policies& defaults,
                                  const config::Settings& settings, const Complaints& complaints) {
    const Policies& own = rule.policies;
    ResolvedPolicies resolved = resolve_limits(own, defaults, settings);
    resolved.route_class = first_of(own.route_class, defaults.route_class).value_or(RouteClass::automatic);

    const std::vector<Method> possible = possible_methods(relation);
    if (own.methods) refuse_impossible(*own.methods, possible, relation, complaints);
    const auto listed = first_of(own.methods, defaults.methods);
    for (const Method method : possible)
        if (!listed || allowed(*listed, method)) resolved.methods.push_back(method);
    return resolved;
}

}  // namespace millrace::routes
