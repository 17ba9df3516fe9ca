// Holds a request against what its route allows: its complexity, and the columns and operators of its filters.
#include "allowed.hpp"

#include <algorithm>

namespace millrace::pipeline {
namespace {

using request::FilterNode;
using routes::ResolvedPolicies;

struct Complexity {
    std::uint64_t filters = 0, embeds = 0, depth = 0;
};

std::uint64_t conditions_of(const FilterNode& filter) {
    const auto* junction = std::get_if<request::Junction>(&filter.node);
    if (junction == nullptr) return 1;
    std::uint64_t count = 0;
    for (const FilterNode& child : junction->children) count += conditions_of(child);
    return count;
}

void add_embeds(Complexity& out, const std::vector<request::SelectItem>& items, std::uint64_t depth) {
    for (const request::SelectItem& item : items) {
        const auto* embed = std::get_if<request::SelectEmbed>(&item.node);
        if (embed == nullptr) continue;
        ++out.embeds;
        out.depth = std::max(out.depth, depth);
        add_embeds(out, embed->items, depth + 1);
    }
}

Result<void> within(std::uint64_t count, std::uint64_t most, const char* what) {
    if (count <= most) return {};
    return Error::of(Fault::too_complex)
        .with_details("The request has " + std::to_string(count) + " " + what + ", and the route allows " +
                      std::to_string(most));
}

Error not_allowed(std::string message, const char* what, const std::vector<std::string>& allowed) {
    std::string names;
    for (const std::string& name : allowed) (names += names.empty() ? "" : ", ") += name;
    return Error::of(Fault::filter_not_allowed, std::move(message))
        .with_hint(allowed.empty() ? "It allows none" : "It allows the " + std::string(what) + " " + names);
}

bool lists(const std::optional<std::vector<std::string>>& allowed, std::string_view name) {
    return !allowed || std::ranges::find(*allowed, name) != allowed->end();
}

// As the version calls it. What it does not show is an embed's own business, and was refused when the names were looked up.
std::string_view api_name(const routes::Resource& resource, const catalog::Column& column) {
    if (const routes::ApiColumn* stored = resource.by_catalog_name(column.name)) return stored->name;
    const auto computed = std::ranges::find(resource.computed, &column, &routes::ApiColumn::column);
    return computed == resource.computed.end() ? std::string_view(column.name) : std::string_view(computed->name);
}

// One node of a read, or the rows that a write chooses, and what its route allows.
struct Judge {
    const routes::Resource& resource;
    const ResolvedPolicies& policies;

    [[nodiscard]] Result<void> column(const plan::Field& field) const {
        if (field.column == nullptr || !policies.filter_columns) return {};
        const std::string_view name = api_name(resource, *field.column);
        if (lists(policies.filter_columns, name)) return {};
        return not_allowed("This route does not filter or order by '" + std::string(name) + "'", "columns",
                           *policies.filter_columns);
    }

    [[nodiscard]] Result<void> condition(const plan::Condition& condition) const {
        const std::string_view name = request::name(condition.test.op);
        if (!lists(policies.filter_operators, name))
            return not_allowed("This route does not filter with '" + std::string(name) + "'", "operators",
                               *policies.filter_operators);
        return column(condition.field);
    }

    [[nodiscard]] Result<void> all(const std::vector<plan::Filter>& filters) const {
        for (const plan::Filter& filter : filters) {
            Result<void> one;
            if (const auto* test = std::get_if<plan::Condition>(&filter.node)) one = condition(*test);
            if (const auto* junction = std::get_if<plan::Junction>(&filter.node)) one = all(junction->children);
            if (!one) return one;
        }
        return {};
    }
};

Result<void> check_node(const plan::ReadNode& node, const ResolvedPolicies& policies) {
    const Judge judge{*node.resource, policies};
    if (auto filters = judge.all(node.filters); !filters) return filters;
    for (const plan::Order& order : node.orders) {
        const auto embed = std::ranges::find(node.embeds, order.embed_key, &plan::ReadNode::key);
        const bool own = order.embed_key.empty() || embed == node.embeds.end();
        const Judge by = own ? judge : Judge{*embed->resource, embed->resource->policies};
        if (auto column = by.column(order.field); !column) return column;
    }
    for (const plan::ReadNode& embed : node.embeds)
        if (auto below = check_node(embed, embed.resource->policies); !below) return below;
    return {};
}

struct CheckPlan {
    const ResolvedPolicies& policies;

    Result<void> operator()(const plan::Read& read) const { return check_node(read.root, policies); }
    Result<void> operator()(const plan::Call& call) const { return check_node(call.rows, policies); }
    Result<void> operator()(const plan::Insert& insert) const { return returned(insert.returning); }
    Result<void> operator()(const plan::Update& update) const { return write(update); }
    Result<void> operator()(const plan::Remove& remove) const { return write(remove); }

    template <class Write>
    Result<void> write(const Write& what) const {
        if (auto filters = Judge{*what.resource, policies}.all(what.filters); !filters) return filters;
        return returned(what.returning);
    }
    Result<void> returned(const std::optional<plan::ReadNode>& node) const {
        return node ? check_node(*node, policies) : Result<void>();
    }
};

}  // namespace

plan::Options plan_options(const Snapshot& snapshot, const auth::Identity& identity) {
    const config::Settings& settings = snapshot.settings;
    plan::Options options{.aggregates = settings.api.aggregates, .legacy_target_names = settings.api.legacy_target_names};
    options.may_use = [&identity, &auth = settings.auth](const routes::Resource& resource) {
        return admit(identity, resource.policies, auth).has_value();
    };
    return options;
}

Result<void> check_complexity(const request::ApiRequest& api, const ResolvedPolicies& policies) {
    Complexity asked;
    for (const auto& filter : api.filters) asked.filters += conditions_of(filter.what);
    add_embeds(asked, api.select, 1);
    if (auto filters = within(asked.filters, policies.filters_max, "filters"); !filters) return filters;
    if (auto embeds = within(asked.embeds, policies.embeds_max, "embedded resources"); !embeds) return embeds;
    return within(asked.depth, policies.select_depth_max, "levels of embedded resources");
}

Result<void> check_filters(const plan::Plan& plan, const ResolvedPolicies& policies) {
    return std::visit(CheckPlan{policies}, plan);
}

}  // namespace millrace::pipeline
