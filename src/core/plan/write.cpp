// Resolves inserts, upserts, PUT, updates and deletes, and what they return.
#include "write.hpp"

#include <algorithm>

#include "names.hpp"
#include "payload.hpp"
#include "place.hpp"
#include "select.hpp"

namespace millrace::plan {
namespace {

using request::ApiRequest;
using request::ReturnKind;

// Of a view, the keys of the tables behind it.
std::vector<const catalog::Column*> key_of(const routes::Resource& resource) {
    return key_columns(*resource.relation, resource.relation->key());
}

Result<std::optional<ReadNode>> plan_representation(const ApiRequest& request, const routes::Resource& resource,
                                                    const Options& options) {
    auto root = plan_select(resource, request.select, options);
    if (!root) return std::move(root).error();
    if (auto placed = place(*root, request, Where::below_root, options); !placed) return std::move(placed).error();
    return std::optional<ReadNode>(*std::move(root));
}

// What Location is made of; nothing when the key is not there or partly hidden.
std::optional<ReadNode> key_only(const routes::Resource& resource) {
    ReadNode root;
    root.resource = &resource;
    for (const std::string& name : resource.relation->key()) {
        const routes::ApiColumn* shown = resource.by_catalog_name(name);
        if (shown == nullptr) return std::nullopt;
        OutputColumn& output = root.columns.emplace_back();
        output.key = shown->name;
        output.field.column = shown->column;
    }
    return root.columns.empty() ? std::nullopt : std::optional<ReadNode>(std::move(root));
}

bool names_embeds(const ApiRequest& request) {
    const auto below = [](const auto& placed) { return !placed.path.empty(); };
    return std::ranges::any_of(request.select,
                               [](const auto& item) { return std::holds_alternative<request::SelectEmbed>(item.node); }) ||
           std::ranges::any_of(request.filters, below) || std::ranges::any_of(request.orders, below) ||
           std::ranges::any_of(request.windows, below);
}

// Embeds must be right though nothing of them is returned; columns that nobody reads need not be there.
Result<void> check_unreturned(const ApiRequest& request, const routes::Resource& resource, const Options& options) {
    if (!names_embeds(request)) return {};
    auto planned = plan_representation(request, resource, options);
    if (planned || planned.error().fault == Fault::database_error) return {};
    return std::move(planned).error();
}

Result<std::optional<ReadNode>> plan_returning(const ApiRequest& request, const routes::Resource& resource,
                                               const Options& options) {
    const ReturnKind kind = request.preferences.returning;
    if (kind == ReturnKind::representation) return plan_representation(request, resource, options);
    if (auto checked = check_unreturned(request, resource, options); !checked) return std::move(checked).error();
    if (kind == ReturnKind::headers_only && request.action == request::Action::insert) return key_only(resource);
    return std::optional<ReadNode>();
}

Error no_conflict_column(const std::string& name) {
    Error error;
    error.fault = Fault::database_error;
    error.code = "42703";
    error.status = 400;
    error.message = "column \"" + name + "\" does not exist";
    return error;
}

Result<std::vector<const catalog::Column*>> conflict_columns(const ApiRequest& request, const routes::Resource& resource) {
    if (request.on_conflict.empty()) return key_of(resource);
    std::vector<const catalog::Column*> out;
    for (const std::string& name : request.on_conflict) {
        const catalog::Column* column = find_column(resource, name);
        if (column == nullptr) return no_conflict_column(name);
        out.push_back(column);
    }
    return out;
}

// An insert without what happens on conflict.
Result<Insert> start_insert(const ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                            const Options& options) {
    auto written = written_columns(request, payload, resource);
    if (!written) return std::move(written).error();
    auto returning = plan_returning(request, resource, options);
    if (!returning) return std::move(returning).error();
    Insert insert;
    insert.resource = &resource;
    insert.columns = std::move(written->columns);
    insert.keys = std::move(written->keys);
    insert.payload = std::move(payload);
    insert.missing_default = written->missing_default;
    insert.returning = *std::move(returning);
    return insert;
}

const request::Condition* plain_eq(const request::Placed<request::FilterNode>& placed) {
    const auto* condition = std::get_if<request::Condition>(&placed.what.node);
    if (condition == nullptr || condition->negated || condition->op != request::Operator::eq ||
        condition->quantifier != request::Quantifier::none || !condition->field.json.empty())
        return nullptr;
    return condition;
}

// The primary key's columns and their values in the URL, or put_filters when the filters are anything else.
Result<std::vector<std::pair<const catalog::Column*, std::string>>> key_in_url(const ApiRequest& request,
                                                                               const routes::Resource& resource) {
    std::vector<std::pair<const catalog::Column*, std::string>> out;
    const std::vector<const catalog::Column*> key = key_of(resource);
    for (const auto& placed : request.filters) {
        if (!placed.path.empty()) continue;
        const request::Condition* eq = plain_eq(placed);
        const catalog::Column* column = eq == nullptr ? nullptr : find_column(resource, eq->field.column);
        if (column == nullptr || std::ranges::find(key, column) == key.end()) return Error::of(Fault::put_filters);
        out.emplace_back(column, eq->value);
    }
    for (const catalog::Column* column : key)
        if (std::ranges::find(out, column, &std::pair<const catalog::Column*, std::string>::first) == out.end())
            return Error::of(Fault::put_filters);
    if (key.empty()) return Error::of(Fault::put_filters);
    return out;
}

Result<std::vector<Filter>> root_filters(const ApiRequest& request, const routes::Resource& resource) {
    ReadNode bare;  // of no embeds: a write's filters see its own columns only
    bare.resource = &resource;
    std::vector<Filter> out;
    for (const auto& [path, what] : request.filters) {
        if (!path.empty()) continue;
        auto filter = plan_filter(bare, what);
        if (!filter) return std::move(filter).error();
        out.push_back(*std::move(filter));
    }
    return out;
}

}  // namespace

Result<Plan> plan_insert(const ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                         const Options& options) {
    auto insert = start_insert(request, std::move(payload), resource, options);
    if (!insert) return std::move(insert).error();
    insert->resolution = request.preferences.resolution;
    if (insert->resolution == request::Resolution::none) return Plan(*std::move(insert));
    auto conflict = conflict_columns(request, resource);
    if (!conflict) return std::move(conflict).error();
    insert->conflict = *std::move(conflict);
    return Plan(*std::move(insert));
}

Result<Plan> plan_replace(const ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                          const Options& options) {
    if (std::ranges::any_of(request.windows, [](const auto& placed) { return placed.path.empty(); }))
        return Error::of(Fault::put_window);
    auto key = key_in_url(request, resource);
    if (!key) return std::move(key).error();
    auto insert = start_insert(request, std::move(payload), resource, options);
    if (!insert) return std::move(insert).error();
    insert->resolution = request::Resolution::merge_duplicates;
    insert->missing_default = false;
    insert->conflict = key_of(resource);
    for (auto& [column, value] : *key) {
        auto written = std::ranges::find(insert->columns, column);
        if (written == insert->columns.end()) return Error::of(Fault::put_needs_all_keys);
        insert->matching.push_back({static_cast<std::size_t>(written - insert->columns.begin()), std::move(value)});
    }
    return Plan(*std::move(insert));
}

Result<Plan> plan_update(const ApiRequest& request, request::Payload payload, const routes::Resource& resource,
                         const Options& options) {
    auto written = written_columns(request, payload, resource);
    if (!written) return std::move(written).error();
    auto filters = root_filters(request, resource);
    if (!filters) return std::move(filters).error();
    auto returning = plan_returning(request, resource, options);
    if (!returning) return std::move(returning).error();
    return Plan(Update{&resource, std::move(written->columns), std::move(written->keys), std::move(payload),
                       written->missing_default, *std::move(filters), *std::move(returning)});
}

Result<Plan> plan_remove(const ApiRequest& request, const routes::Resource& resource, const Options& options) {
    auto filters = root_filters(request, resource);
    if (!filters) return std::move(filters).error();
    auto returning = plan_returning(request, resource, options);
    if (!returning) return std::move(returning).error();
    return Plan(Remove{&resource, *std::move(filters), *std::move(returning)});
}

}  // namespace millrace::plan
