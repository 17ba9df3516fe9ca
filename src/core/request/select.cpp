// select=: columns, aggregates, embeds and spreads as a tree.
#include <array>

#include "grammar.hpp"

namespace millrace::request {
namespace {

struct Budget {
    std::size_t items = 0;
};

struct AggregateName {
    std::string_view word;
    Aggregate aggregate;
};
constexpr std::array aggregate_names = {AggregateName{"sum", Aggregate::sum}, AggregateName{"avg", Aggregate::avg},
                                        AggregateName{"count", Aggregate::count}, AggregateName{"max", Aggregate::max},
                                        AggregateName{"min", Aggregate::min}};

bool item_end(Cursor& c) { return c.ahead(")") || c.ahead(",") || c.end(); }

// alias: when one is there; a cast's "::" is none.
bool alias(Cursor& c, std::string& out) {
    Name found;
    const bool there = c.attempt([&] { return name(c, found) && c.take(':') && c.not_followed_by(':'); });
    if (there) out = found.text();
    return there;
}

// ::type when one is there; false when it is broken.
bool cast(Cursor& c, std::string& out) {
    const std::size_t start = c.at();
    if (!c.literal("::")) return c.at() == start;
    std::string_view type;
    if (!identifier(c, type)) return false;
    out = type;
    return true;
}

bool aggregate(Cursor& c, Aggregate& out) {
    return c.attempt([&] {
        if (!c.take('.')) return false;
        for (const auto& row : aggregate_names) {
            if (!c.attempt([&] { return c.literal(row.word); })) continue;
            out = row.aggregate;
            return c.literal("()");
        }
        return false;
    });
}

bool star(Cursor& c, SelectColumn& out) {
    return c.attempt([&] {
        out.field.column = "*";
        return c.literal("*") && item_end(c);
    });
}

bool count_of_rows(Cursor& c, SelectColumn& out) {
    return c.attempt([&] {
        out = {};
        alias(c, out.alias);
        out.field.column = "*";
        out.aggregate = Aggregate::count;
        return c.literal("count()") && cast(c, out.aggregate_cast) && item_end(c);
    });
}

bool plain_column(Cursor& c, SelectColumn& out) {
    out = {};
    alias(c, out.alias);
    if (!field(c, out.field) || !cast(c, out.cast)) return false;
    if (!aggregate(c, out.aggregate)) out.aggregate = Aggregate::none;
    return cast(c, out.aggregate_cast) && item_end(c);
}

bool column(Cursor& c, SelectColumn& out) {
    c.skip_blanks();
    if (!star(c, out) && !count_of_rows(c, out) && !plain_column(c, out)) return false;
    c.skip_blanks();
    return true;
}

// The most usual item, a bare ASCII name, decided in one look; anything else goes the whole way.
bool bare_column(Cursor& c, SelectColumn& out) {
    if (c.traced()) return false;
    return c.attempt([&] {
        const std::size_t start = c.at();
        c.take_while([](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_'; });
        if (c.at() == start || !(c.done() || c.peek() == ',' || c.peek() == ')')) return false;
        out.field.column = c.since(start);
        return true;
    });
}

// A word that is a whole parameter, so that "!leftover" is a hint.
bool join_word(Cursor& c, std::string_view word) {
    return c.attempt([&] { return c.literal(word) && (c.done() || c.peek() == '!' || c.peek() == '('); });
}

bool embed_parameter(Cursor& c, SelectEmbed& out) {
    if (!c.take('!')) return false;
    if (join_word(c, "left")) {
        out.join = out.join.value_or(JoinKind::left);
        return true;
    }
    if (join_word(c, "inner")) {
        out.join = out.join.value_or(JoinKind::inner);
        return true;
    }
    Name hint;
    if (!c.attempt([&] { return name(c, hint); })) return false;
    if (out.hint.empty()) out.hint = hint.text();
    return true;
}

// Up to two of !hint, !inner, !left, in any order.
bool embed_parameters(Cursor& c, SelectEmbed& out) {
    for (int i = 0; i < 2; ++i) {
        const std::size_t start = c.at();
        if (!embed_parameter(c, out)) return c.at() == start;
    }
    return true;
}

bool relation_head(Cursor& c, SelectEmbed& out) {
    out = {};
    c.skip_blanks();
    alias(c, out.alias);
    Name relation;
    // count( is the aggregate.
    if (!name(c, relation) || (!relation.quoted && relation.raw == "count")) return false;
    if (!embed_parameters(c, out) || !c.ahead("(")) return false;
    out.relation = relation.text();
    return true;
}

bool spread_head(Cursor& c, SelectEmbed& out) {
    out = {};
    c.skip_blanks();
    Name relation;
    if (!c.literal("...") || !name(c, relation) || !embed_parameters(c, out) || !c.ahead("(")) return false;
    out.relation = relation.text();
    out.spread = true;
    return true;
}

bool forest(Cursor& c, std::vector<SelectItem>& out, Budget& budget, std::size_t depth);

bool children(Cursor& c, SelectEmbed& out, Budget& budget, std::size_t depth) {
    if (depth == depth_max) return c.exceed("embeds are nested too deep");
    if (!c.take('(')) return false;
    c.skip_blanks();
    if (!forest(c, out.items, budget, depth + 1) || !c.take(')')) return false;
    c.skip_blanks();
    return true;
}

bool item(Cursor& c, SelectItem& out, Budget& budget, std::size_t depth) {
    if (SelectColumn bare; bare_column(c, bare)) {
        out.node = std::move(bare);
        return true;
    }
    SelectEmbed embed;
    if (c.attempt([&] { return spread_head(c, embed); }) || c.attempt([&] { return relation_head(c, embed); })) {
        const bool ok = children(c, embed, budget, depth);
        out.node = std::move(embed);
        return ok;
    }
    SelectColumn plain;
    if (!column(c, plain)) return false;
    out.node = std::move(plain);
    return true;
}

// Items with commas between them, perhaps none.
bool forest(Cursor& c, std::vector<SelectItem>& out, Budget& budget, std::size_t depth) {
    const std::size_t start = c.at();
    for (;;) {
        if (budget.items++ == select_items_max) return c.exceed("too many items");
        SelectItem one;
        if (!item(c, one, budget, depth)) return out.empty() && c.at() == start;
        out.push_back(std::move(one));
        if (!c.take(',')) return true;
        c.skip_blanks();
    }
}

}  // namespace

bool select_items(Cursor& c, std::vector<SelectItem>& out) {
    Budget budget;
    return forest(c, out, budget, 0);
}

Result<std::vector<SelectItem>> parse_select(std::string_view text) {
    return parse_all<std::vector<SelectItem>>("select parameter", text,
                                              [](Cursor& c, std::vector<SelectItem>& out) { return select_items(c, out); });
}

}  // namespace millrace::request
