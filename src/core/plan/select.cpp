// Resolves a select: columns, aliases, casts, JSON paths and aggregates of a relation, and the embeds below it.
#include "select.hpp"

#include <algorithm>

#include "links.hpp"
#include "names.hpp"
#include "type_name.hpp"

namespace millrace::plan {
namespace {

using request::Aggregate;

std::string_view aggregate_name(Aggregate aggregate) {
    switch (aggregate) {
        case Aggregate::none:
            return "";
        case Aggregate::count:
            return "count";
        case Aggregate::sum:
            return "sum";
        case Aggregate::avg:
            return "avg";
        case Aggregate::min:
            return "min";
        case Aggregate::max:
            return "max";
    }
    return "";
}

// data->a->0 is shown as "a", data->0 as "data": the last key of the path that is a name.
const std::string& key_of_path(const request::FieldPath& path) {
    for (auto step = path.json.rbegin(); step != path.json.rend(); ++step)
        if (const auto* name = std::get_if<std::string>(&step->key)) return *name;
    return path.column;
}

std::string key_of(const request::SelectColumn& item) {
    if (!item.alias.empty()) return item.alias;
    if (item.aggregate != Aggregate::none) return std::string(aggregate_name(item.aggregate));
    return key_of_path(item.field);
}

Error bad_cast(const std::string& cast) {
    return Error::of(Fault::bad_query, "failed to parse select parameter")
        .with_details("\"" + cast + "\" is not the name of a type");
}

void add_star(ReadNode& node) {
    node.columns.reserve(node.columns.size() + node.resource->columns.size());
    for (const routes::ApiColumn& column : node.resource->columns) {
        OutputColumn& output = node.columns.emplace_back();
        output.key = column.name;
        output.field.column = column.column;
    }
}

Result<void> check_column(const request::SelectColumn& item, const Options& options) {
    if (item.aggregate != Aggregate::none && !options.aggregates) return Error::of(Fault::aggregates_disabled);
    if (!item.cast.empty() && !is_type_name(item.cast)) return bad_cast(item.cast);
    if (!item.aggregate_cast.empty() && !is_type_name(item.aggregate_cast)) return bad_cast(item.aggregate_cast);
    return {};
}

bool counts_rows(const request::SelectColumn& item) {
    return item.aggregate == Aggregate::count && (item.field.column.empty() || item.field.column == "*");
}

// "count" where there is no such column counts rows, though aggregates be off: so Postgres takes it, and so it was before there
// were aggregates.
bool is_bare_count(const ReadNode& node, const request::SelectColumn& item) {
    return item.aggregate == Aggregate::none && item.field.column == "count" && item.field.json.empty() &&
           find_readable(*node.resource, "count") == nullptr;
}

void add_count(ReadNode& node, const request::SelectColumn& item) {
    OutputColumn& output = node.columns.emplace_back();
    output.key = key_of(item);
    output.aggregate = Aggregate::count;
    output.aggregate_cast = item.cast;
}

Result<void> add_column(ReadNode& node, const request::SelectColumn& item, const Options& options) {
    if (item.field.column == "*" && item.aggregate == Aggregate::none) {
        add_star(node);
        return {};
    }
    if (auto checked = check_column(item, options); !checked) return checked;
    if (is_bare_count(node, item)) {
        add_count(node, item);
        return {};
    }
    OutputColumn& output = node.columns.emplace_back();
    output.key = key_of(item);
    output.cast = item.cast;
    output.aggregate = item.aggregate;
    output.aggregate_cast = item.aggregate_cast;
    if (counts_rows(item)) return {};
    auto field = resolve(*node.resource, item.field);
    if (!field) return std::move(field).error();
    output.field = *std::move(field);
    return {};
}

Result<void> fill(ReadNode& node, const std::vector<request::SelectItem>& items, const Options& options, unsigned depth);

// "clients()" only filters: nothing of it, nor of what it embeds, is part of the answer.
bool has_output(const ReadNode& node) {
    return !node.columns.empty() || std::ranges::any_of(node.embeds, [](const ReadNode& e) { return e.shown; });
}

Result<void> add_embed(ReadNode& node, const request::SelectEmbed& item, const Options& options, unsigned depth) {
    if (depth >= embed_depth_max)
        return Error::of(Fault::bad_query, "The select is nested too deeply")
            .with_details("At most " + std::to_string(embed_depth_max) + " levels of embedding are allowed.");
    auto link = find_link(*node.resource, item, options);
    if (!link) return std::move(link).error();
    ReadNode& embed = node.embeds.emplace_back();
    embed.link = *link;
    embed.resource = embed.link->target;
    embed.name = item.relation;
    embed.key = item.alias.empty() ? item.relation : item.alias;
    embed.join = item.join.value_or(request::JoinKind::left);
    embed.spread = item.spread;
    if (auto filled = fill(embed, item.items, options, depth + 1); !filled) return filled;
    embed.shown = has_output(embed);
    return {};
}

Result<void> fill(ReadNode& node, const std::vector<request::SelectItem>& items, const Options& options, unsigned depth) {
    for (const request::SelectItem& item : items) {
        const auto* column = std::get_if<request::SelectColumn>(&item.node);
        auto added = column != nullptr ? add_column(node, *column, options)
                                       : add_embed(node, std::get<request::SelectEmbed>(item.node), options, depth);
        if (!added) return added;
    }
    return {};
}

bool has_aggregate(const ReadNode& node) {
    return std::ranges::any_of(node.columns, [](const OutputColumn& c) { return c.aggregate != Aggregate::none; }) ||
           std::ranges::any_of(node.embeds, [](const ReadNode& e) { return e.spread && has_aggregate(e); });
}

Result<void> check_spreads(const ReadNode& node) {
    for (const ReadNode& embed : node.embeds) {
        if (embed.spread && !to_one(embed.link->relationship->cardinality) && has_aggregate(embed))
            return Error::of(Fault::unsupported_feature)
                .with_details("Aggregates are not implemented for one-to-many or many-to-many spreads.");
        if (auto checked = check_spreads(embed); !checked) return checked;
    }
    return {};
}

}  // namespace

Result<ReadNode> plan_select(const routes::Resource& resource, const std::vector<request::SelectItem>& items,
                             const Options& options) {
    ReadNode root;
    root.resource = &resource;
    if (items.empty()) add_star(root);
    if (auto filled = fill(root, items, options, 0); !filled) return std::move(filled).error();
    if (auto checked = check_spreads(root); !checked) return std::move(checked).error();
    return root;
}

const ReadNode* find_embed(const ReadNode& node, std::string_view key) {
    auto found = std::ranges::find(node.embeds, key, &ReadNode::key);
    return found == node.embeds.end() ? nullptr : &*found;
}

}  // namespace millrace::plan
