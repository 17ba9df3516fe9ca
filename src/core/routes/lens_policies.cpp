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

ResolvedPolicies resolve_limits(const Policies& own, const Policies& defaults, const config::Settings& settings) {
    ResolvedPolicies resolved;
    resolved.cache = first_of(own.cache, defaults.cache).value_or(CachePolicy{});
    resolved.standby = first_of(own.standby, defaults.standby).value_or(false);
    resolved.page_size_max = page_size(first_of(own.page_size_max, defaults.page_size_max), settings.database.rows_max);
    resolved.body_bytes_max = first_of(own.body_bytes_max, defaults.body_bytes_max).value_or(settings.http.body_bytes_max);
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
