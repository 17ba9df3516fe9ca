// Writes the SELECT of an embed: to-one as a lateral join, to-many as a correlated subquery that aggregates JSON.
#include "tree.hpp"

#include <algorithm>

#include "filters.hpp"

namespace millrace::sql {
namespace {

// A constant lets Postgres plan for so few rows and keep the plan; a parameter makes it plan each time or plan badly. So the
// usual page sizes are written as they are, and any other number is a parameter, which bounds the statements that differ.
bool usual_limit(std::int64_t limit) {
    if (limit == 25 || limit == 250 || limit == 1000) return true;
    return limit < 10 || (limit < 100 && limit % 10 == 0) || (limit < 1000 && limit % 100 == 0);
}

void append_limit(Writer& out, std::int64_t limit) {
    out << " LIMIT ";
    if (limit >= 0 && usual_limit(limit)) {
        out.number(static_cast<std::uint64_t>(limit));
    } else {
        out.parameter(limit);
    }
}

// The column of a spread that the rows are ordered by: once they are grouped, it is all that is left of the embed.
std::optional<unsigned> spread_position(const plan::ReadNode& embed, const plan::Order& order) {
    if (!embed.spread || !embed.shown) return std::nullopt;
    for (std::size_t i = 0; i < embed.columns.size(); ++i) {
        const plan::OutputColumn& output = embed.columns[i];
        if (output.aggregate == request::Aggregate::none && output.cast.empty() && output.field.json.empty() &&
            order.field.json.empty() && output.field.column == order.field.column && json_function(output) == nullptr)
            return static_cast<unsigned>(i + 1);
    }
    return std::nullopt;
}

const plan::ReadNode& ordering_embed(const plan::ReadNode& node, const plan::Order& order) {
    return *std::ranges::find(node.embeds, order.embed_key, &plan::ReadNode::key);
}

bool needs_order_join(const plan::ReadNode& node, const plan::ReadNode& embed) {
    return std::ranges::any_of(
        node.orders, [&](const plan::Order& order) { return order.embed_key == embed.key && !spread_position(embed, order); });
}

Alias order_alias(const plan::ReadNode& node, const plan::Order& order, const Place& place) {
    if (order.embed_key.empty()) return place.self;
    const auto embed = std::ranges::find(node.embeds, order.embed_key, &plan::ReadNode::key);
    return {'o', place.first_embed + static_cast<unsigned>(embed - node.embeds.begin())};
}

}  // namespace

Place Tree::place(const plan::ReadNode& node, Alias self, Alias parent) {
    const unsigned first = next_;
    next_ += static_cast<unsigned>(node.embeds.size());
    return {self, parent, first};
}

void Tree::embed_select(const plan::ReadNode& node, Alias self, Alias parent, Naming naming) {
    const Place at = place(node, self, parent);
    const bool hoists = node.spread && is_to_one(node);
    Outputs list(out_, naming, !hoists && has_aggregates(node), hoists, nullptr);
    out_ << "SELECT ";
    outputs(node, at, list);
    from(node, self, parent);
    joins(node, at);
    conditions(node, self, parent, Joined::to_one, " WHERE ");
    list.group_by();
    order(node, at);
    window(node);
}

void Tree::from(const plan::ReadNode& node, Alias self, Alias parent) {
    out_ << " FROM ";
    if (node.link != nullptr && node.link->relationship->function) {
        out_.routine(*node.link->relationship->function) << '(';
        out_.row(parent) << ") AS " << self;
        return;
    }
    if (node.link != nullptr && node.link->relationship->junction) {
        const catalog::Junction& junction = *node.link->relationship->junction;
        const Alias alias{'j', self.number};
        out_.identifier(junction.schema).operator<<('.').identifier(junction.name) << " AS " << alias << " INNER JOIN ";
        out_.relation(*node.resource->relation) << " AS " << self;
        Conjunction on(out_, " ON ");
        for (const catalog::ColumnPair& pair : junction.to_target) {
            on.next().column(self, pair.to) << " = ";
            out_.column(alias, pair.from);
        }
        return;
    }
    out_.relation(*node.resource->relation) << " AS " << self;
}

void Tree::outputs(const plan::ReadNode& node, const Place& place, Outputs& outputs) {
    for (const plan::OutputColumn& column : node.columns) outputs.column(column, place.self);
    unsigned number = place.first_embed;
    for (const plan::ReadNode& embed : node.embeds) {
        const Alias joined{'e', number};
        if (embed.shown && embed.spread) {
            unsigned position = 0;
            for (const SpreadOutput& output : spread_outputs(embed)) outputs.spread(output, joined, ++position);
        } else if (embed.shown) {
            outputs.begin_json();
            if (is_to_one(embed)) {
                out_ << "row_to_json(" << joined << ".*)";
            } else {
                to_many(embed, place.self, number);
            }
            outputs.end_json(embed.key);
        }
        ++number;
    }
}

// As an expression rather than a join: Postgres evaluates it after sorting and limiting the rows around it.
void Tree::to_many(const plan::ReadNode& embed, Alias parent, unsigned number) {
    const Alias rows{'x', number};
    out_ << "(SELECT coalesce(json_agg(" << rows << ".*), '[]') FROM (";
    embed_select(embed, {'t', number}, parent, Naming::keys);
    out_ << ") AS " << rows << ')';
}

void Tree::joins(const plan::ReadNode& node, const Place& place) {
    unsigned number = place.first_embed;
    for (const plan::ReadNode& embed : node.embeds) {
        if (embed.shown && (is_to_one(embed) || embed.spread)) lateral(embed, place.self, number);
        if (needs_order_join(node, embed)) order_join(embed, place.self, number);
        ++number;
    }
}

void Tree::order_join(const plan::ReadNode& embed, Alias parent, unsigned number) {
    const Alias joined{'o', number};
    if (const auto& function = embed.link->relationship->function) {
        (out_ << " LEFT JOIN LATERAL ").routine(*function) << '(';
        out_.row(parent) << ") AS " << joined << " ON true";
        return conditions(embed, joined, parent, Joined::none, " AND ");
    }
    (out_ << " LEFT JOIN ").relation(*embed.resource->relation) << " AS " << joined;
    conditions(embed, joined, parent, Joined::none, " ON ");
}

void Tree::lateral(const plan::ReadNode& embed, Alias parent, unsigned number) {
    const bool inner = is_to_one(embed) && embed.join == request::JoinKind::inner;
    out_ << (inner ? " INNER JOIN LATERAL (" : " LEFT JOIN LATERAL (");
    if (is_to_one(embed)) {
        embed_select(embed, {'t', number}, parent, embed.spread ? Naming::numbers : Naming::keys);
    } else {
        spread_arrays(embed, parent, number);
    }
    out_ << ") AS " << Alias{'e', number} << " ON true";
}

void Tree::spread_arrays(const plan::ReadNode& embed, Alias parent, unsigned number) {
    const Alias rows{'x', number};
    const std::size_t columns = spread_outputs(embed).size();
    for (std::size_t position = 1; position <= columns; ++position) {
        out_ << (position == 1 ? "SELECT coalesce(json_agg(" : ", coalesce(json_agg(") << rows << ".c";
        out_.number(position) << "), '[]') AS c";
        out_.number(position);
    }
    out_ << " FROM (";
    embed_select(embed, {'t', number}, parent, Naming::numbers);
    out_ << ") AS " << rows;
}

void Tree::order(const plan::ReadNode& node, const Place& place) {
    std::string_view separator = " ORDER BY ";
    for (const plan::Order& order : node.orders) {
        out_ << separator;
        const auto position = order.embed_key.empty() ? std::nullopt : spread_position(ordering_embed(node, order), order);
        const Alias alias = order_alias(node, order, place);
        if (position) {
            (out_ << Alias{'e', alias.number} << ".c").number(*position);
        } else {
            append_field(out_, alias, order.field);
        }
        if (order.descending) out_ << " DESC";
        if (order.nulls_first) out_ << (*order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
        separator = ", ";
    }
}

void Tree::window(const plan::ReadNode& node) {
    const request::Window& window = node.window;
    const bool one_row = node.link != nullptr && is_to_one(node);
    if (window.limit && !(one_row && *window.limit > 0)) append_limit(out_, *window.limit);
    if (window.offset > 0) (out_ << " OFFSET ").parameter(window.offset);
}

}  // namespace millrace::sql
