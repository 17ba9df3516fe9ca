// Writes what must hold for a row: the join with the parent, filters, and the embeds that must be there.
#include <algorithm>

#include "filters.hpp"
#include "tree.hpp"

namespace millrace::sql {
namespace {

void append_equal(Conjunction& conjunction, Alias left, std::string_view left_column, Alias right,
                  std::string_view right_column) {
    conjunction.next().column(left, left_column) << " = ";
    conjunction.out().column(right, right_column);
}

bool must_exist(const plan::ReadNode& embed, Tree::Joined joined) {
    if (embed.join != request::JoinKind::inner) return false;
    return joined == Tree::Joined::none || !embed.shown || !is_to_one(embed);
}

}  // namespace

void Tree::link(const plan::ReadNode& embed, Alias self, Alias parent, Conjunction& conjunction) {
    const catalog::Relationship& way = *embed.link->relationship;
    if (way.junction) {
        const Alias junction{'j', self.number};
        for (const catalog::ColumnPair& pair : way.junction->from_source)
            append_equal(conjunction, junction, pair.to, parent, pair.from);
        return;
    }
    for (const catalog::ColumnPair& pair : way.columns) append_equal(conjunction, self, pair.to, parent, pair.from);
}

void Tree::conditions(const plan::ReadNode& node, Alias self, Alias parent, Joined joined, std::string_view first_word) {
    Conjunction conjunction(out_, first_word);
    if (node.link != nullptr) link(node, self, parent, conjunction);
    for (const plan::Filter& each : node.filters) {
        conjunction.next();
        filter(&node, each, self);
    }
    for (const plan::ReadNode& embed : node.embeds) {
        if (!must_exist(embed, joined)) continue;
        conjunction.next();
        exists(embed, self);
    }
}

void Tree::filter(const plan::ReadNode* node, const plan::Filter& filter, Alias self) {
    if (const auto* condition = std::get_if<plan::Condition>(&filter.node)) {
        append_condition(out_, self, *condition);
    } else if (const auto* test = std::get_if<plan::EmbedTest>(&filter.node)) {
        if (!test->present) out_ << "NOT ";
        exists(*std::ranges::find(node->embeds, test->key, &plan::ReadNode::key), self);
    } else {
        junction(node, std::get<plan::Junction>(filter.node), self);
    }
}

void Tree::junction(const plan::ReadNode* node, const plan::Junction& junction, Alias self) {
    std::string_view separator = junction.negated ? "NOT (" : "(";
    for (const plan::Filter& child : junction.children) {
        out_ << separator;
        filter(node, child, self);
        separator = junction.any ? " OR " : " AND ";
    }
    out_ << (junction.children.empty() ? "(true)" : ")");
}

// An EXISTS rather than a look at the joined rows: Postgres can make a semi- or anti-join of it, and it reads the same in a
// count. A window matters only when it leaves nothing.
void Tree::exists(const plan::ReadNode& embed, Alias parent) {
    const Alias self{'t', next_++};
    out_ << "EXISTS (SELECT 1";
    from(embed, self, parent);
    conditions(embed, self, parent, Joined::none, " WHERE ");
    if (embed.window.limit == 0) out_ << " LIMIT 0";
    if (embed.window.offset > 0) (out_ << " OFFSET ").parameter(embed.window.offset);
    out_ << ')';
}

}  // namespace millrace::sql
