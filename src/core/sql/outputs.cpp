// Writes the columns of one SELECT: fields with casts and aggregates, columns of spreads, the JSON of embeds.
#include <algorithm>

#include "filters.hpp"
#include "tree.hpp"

namespace millrace::sql {
namespace {

using request::Aggregate;

std::string_view function_of(Aggregate aggregate) {
    switch (aggregate) {
        case Aggregate::none:
            return "";
        case Aggregate::count:
            return "count(";
        case Aggregate::sum:
            return "sum(";
        case Aggregate::avg:
            return "avg(";
        case Aggregate::min:
            return "min(";
        case Aggregate::max:
            return "max(";
    }
    return "";
}

// The value before any aggregate; for count() something that is not null.
void append_value(Writer& out, const plan::OutputColumn& column, Alias alias) {
    if (column.field.column == nullptr) {
        out << '1';
        return;
    }
    if (!column.cast.empty()) out << "CAST(";
    const catalog::RoutineName* writer = json_function(column);
    if (writer != nullptr) out.routine(*writer) << '(';
    append_field(out, alias, column.field);
    if (writer != nullptr) out << ')';
    if (!column.cast.empty()) out << " AS " << column.cast << ')';
}

void open_aggregate(Writer& out, const plan::OutputColumn& column) {
    if (!column.aggregate_cast.empty()) out << "CAST(";
    out << function_of(column.aggregate);
}

void close_aggregate(Writer& out, const plan::OutputColumn& column) {
    if (column.aggregate != Aggregate::none) out << ')';
    if (!column.aggregate_cast.empty()) out << " AS " << column.aggregate_cast << ')';
}

void append_spread_outputs(std::vector<SpreadOutput>& all, const plan::ReadNode& embed) {
    for (SpreadOutput output : spread_outputs(embed)) all.push_back(output);
}

}  // namespace

bool is_to_one(const plan::ReadNode& embed) { return catalog::to_one(embed.link->relationship->cardinality); }

bool has_aggregates(const plan::ReadNode& node) {
    return std::ranges::any_of(node.columns, [](const auto& column) { return column.aggregate != Aggregate::none; }) ||
           std::ranges::any_of(node.embeds, [](const plan::ReadNode& embed) {
               return embed.spread && is_to_one(embed) && has_aggregates(embed);
           });
}

std::vector<SpreadOutput> spread_outputs(const plan::ReadNode& embed) {
    std::vector<SpreadOutput> out;
    for (const plan::OutputColumn& column : embed.columns)
        out.push_back({column.key, output_type(column), column.aggregate == Aggregate::none ? nullptr : &column});
    for (const plan::ReadNode& child : embed.embeds) {
        if (!child.shown) continue;
        if (child.spread) {
            append_spread_outputs(out, child);
        } else {
            out.push_back({child.key, {CellKind::json, false}, nullptr});
        }
    }
    if (!is_to_one(embed))
        for (SpreadOutput& output : out) output = {output.key, {CellKind::json, false}, nullptr};  // arrays
    return out;
}

void Outputs::begin() {
    if (count_++ != 0) out_ << ", ";
}

void Outputs::end(std::string_view key, CellType type, bool aggregated) {
    if (!aggregated) groups_.push_back(count_);
    switch (naming_) {
        case Naming::cells:
        case Naming::texts:
            cells_->push_back({std::string(key), type.kind});
            break;
        case Naming::keys:
            (out_ << " AS ").identifier(key);
            break;
        case Naming::numbers:
            (out_ << " AS c").number(count_);
            break;
    }
}

// Only the worker needs JSON of a type it does not know; and only jsonb can be grouped by.
void Outputs::open_wrap(CellType type) {
    if (naming_ == Naming::cells && type.wrap) out_ << (grouped_ ? "to_jsonb(" : "to_json(");
}
void Outputs::close_wrap(CellType type) {
    if (naming_ == Naming::cells && type.wrap) out_ << ')';
}

void Outputs::column(const plan::OutputColumn& column, Alias alias) {
    begin();
    if (hoists_) {
        append_value(out_, column, alias);
        return end(column.key, {}, false);
    }
    const CellType type = output_type(column);
    open_wrap(type);
    open_aggregate(out_, column);
    append_value(out_, column, alias);
    close_aggregate(out_, column);
    close_wrap(type);
    end(column.key, type, column.aggregate != Aggregate::none);
}

void Outputs::spread(const SpreadOutput& output, Alias alias, unsigned position) {
    const bool aggregates = output.aggregated != nullptr && !hoists_;
    begin();
    open_wrap(output.type);
    if (aggregates) open_aggregate(out_, *output.aggregated);
    (out_ << alias << ".c").number(position);
    if (aggregates) close_aggregate(out_, *output.aggregated);
    close_wrap(output.type);
    end(output.key, output.type, aggregates);
}

void Outputs::begin_json() { begin(); }

void Outputs::end_json(std::string_view key) {
    if (grouped_) out_ << "::jsonb";
    end(key, {CellKind::json, false}, false);
}

void Outputs::group_by() {
    if (!grouped_ || groups_.empty()) return;
    std::string_view separator = " GROUP BY ";
    for (const unsigned position : groups_) {
        (out_ << separator).number(position);
        separator = ", ";
    }
}

}  // namespace millrace::sql
