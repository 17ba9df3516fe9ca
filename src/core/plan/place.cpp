// Puts orders and windows onto the nodes that they are for.
#include "place.hpp"

#include <algorithm>

#include "locate.hpp"
#include "names.hpp"
#include "select.hpp"

namespace millrace::plan {
namespace {

Error not_to_one(const ReadNode& node, const std::string& name) {
    return Error::of(Fault::related_order_not_to_one, "A related order on '" + name + "' is not possible")
        .with_details("'" + node.resource->name + "' and '" + name + "' do not form a many-to-one or one-to-one relationship");
}

// "rel(name)" means what the embed shows under that name before it means a column.
const Field* shown_field(const ReadNode& node, const request::OrderTerm& term) {
    const ReadNode* embed = term.relation.empty() || !term.field.json.empty() ? nullptr : find_embed(node, term.relation);
    if (embed == nullptr) return nullptr;
    const auto found = std::ranges::find(embed->columns, term.field.column, &OutputColumn::key);
    if (found == embed->columns.end() || found->aggregate != request::Aggregate::none) return nullptr;
    return &found->field;
}

Result<Order> plan_order(const ReadNode& node, const request::OrderTerm& term) {
    auto resource = ordered_by(node, term);
    if (!resource) return std::move(resource).error();
    if (const Field* shown = shown_field(node, term)) return Order{term.relation, *shown, term.descending, term.nulls_first};
    auto field = resolve(**resource, term.field);
    if (!field) return std::move(field).error();
    return Order{term.relation, *std::move(field), term.descending, term.nulls_first};
}

Result<void> place_orders(ReadNode& root, const request::ApiRequest& request, const Options& options) {
    for (const auto& [path, terms] : request.orders) {
        auto node = locate(root, path, options);
        if (!node) return std::move(node).error();
        for (const request::OrderTerm& term : terms) {
            auto order = plan_order(**node, term);
            if (!order) return std::move(order).error();
            (*node)->orders.push_back(*std::move(order));
        }
    }
    return {};
}

Result<void> place_windows(ReadNode& root, const request::ApiRequest& request, Where where, const Options& options) {
    for (const auto& [path, window] : request.windows) {
        if (path.empty() && where == Where::below_root) continue;
        auto node = locate(root, path, options);
        if (!node) return std::move(node).error();
        (*node)->window = window;
    }
    return {};
}

void cap_windows(ReadNode& node, Where where) {
    if (where == Where::everywhere) cap(node.window, node.resource->policies.page_size_max);
    for (ReadNode& embed : node.embeds) cap_windows(embed, Where::everywhere);
}

}  // namespace

Result<const routes::Resource*> ordered_by(const ReadNode& node, const request::OrderTerm& term) {
    if (term.relation.empty()) return node.resource;
    const ReadNode* embed = find_embed(node, term.relation);
    if (embed == nullptr) return not_embedded(node, term.relation);
    if (!to_one(embed->link->relationship->cardinality)) return not_to_one(node, term.relation);
    return embed->resource;
}

void cap(request::Window& window, std::uint64_t most) {
    if (most == 0) return;
    const auto limit = static_cast<std::int64_t>(std::min<std::uint64_t>(most, INT64_MAX));
    window.limit = std::min(window.limit.value_or(limit), limit);
}

Result<void> place(ReadNode& root, const request::ApiRequest& request, Where where, const Options& options) {
    if (auto placed = place_filters(root, request, where, options); !placed) return placed;
    if (auto placed = place_orders(root, request, options); !placed) return placed;
    if (auto placed = place_windows(root, request, where, options); !placed) return placed;
    cap_windows(root, where);
    return {};
}

}  // namespace millrace::plan
