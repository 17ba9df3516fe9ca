// Answers questions about one resource of a version.
#include <algorithm>

#include "millrace/core/routes.hpp"

namespace millrace::routes {
namespace {

std::string allow_value(const std::vector<message::Method>& methods) {
    std::string value;
    for (const message::Method method : methods) {
        if (!value.empty()) value += ',';
        value += message::name(method);
    }
    return value;
}

}  // namespace

const ApiColumn* Resource::column(std::string_view api_name) const {
    const auto found = std::ranges::find(columns, api_name, &ApiColumn::name);
    return found == columns.end() ? nullptr : &*found;
}

const ApiColumn* Resource::readable(std::string_view api_name) const {
    if (const ApiColumn* stored = column(api_name)) return stored;
    const auto found = std::ranges::find(computed, api_name, &ApiColumn::name);
    return found == computed.end() ? nullptr : &*found;
}

const ApiColumn* Resource::by_catalog_name(std::string_view wanted) const {
    const auto found = std::ranges::find_if(columns, [&](const ApiColumn& c) { return c.column->name == wanted; });
    return found == columns.end() ? nullptr : &*found;
}

bool Resource::allows(message::Method method) const {
    return std::ranges::find(policies.methods, method) != policies.methods.end();
}

std::string Resource::allow() const { return allow_value(policies.methods); }

bool ApiFunction::allows(message::Method method) const {
    return std::ranges::find(policies.methods, method) != policies.methods.end();
}

std::string ApiFunction::allow() const {
    using message::Method;
    const bool reads = std::ranges::any_of(
        overloads, [](const Overload& o) { return o.function->volatility != catalog::Volatility::is_volatile; });
    std::string value;
    for (const Method method : policies.methods) {
        if (!reads && (method == Method::get || method == Method::head)) continue;
        if (!value.empty()) value += ',';
        value += message::name(method);
    }
    return value;
}

bool Upstream::allows(message::Method method) const {
    return std::ranges::find(policies.methods, method) != policies.methods.end();
}

std::string Upstream::allow() const { return allow_value(policies.methods); }

ApiCatalog::ApiCatalog(RouteTable table, std::shared_ptr<const catalog::Catalog> catalog)
    : table_(std::move(table)), catalog_(std::move(catalog)) {}

const Resource* ApiCatalog::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

const Upstream* ApiCatalog::find_upstream(std::string_view name) const {
    const auto found =
        std::ranges::lower_bound(upstreams_, name, {}, [](const auto& u) -> std::string_view { return u->name; });
    return found == upstreams_.end() || (*found)->name != name ? nullptr : found->get();
}

const ApiFunction* ApiCatalog::find_function(std::string_view name) const {
    const auto found =
        std::ranges::lower_bound(functions_, name, {}, [](const auto& f) -> std::string_view { return f->name; });
    return found == functions_.end() || (*found)->name != name ? nullptr : found->get();
}

}  // namespace millrace::routes
