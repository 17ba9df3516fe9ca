// and=/or=: trees of conditions.
#include "grammar.hpp"

namespace millrace::request {
namespace {

bool parenthesis(Cursor& c, char which) {
    c.skip_blanks();
    if (!c.take(which)) return false;
    c.skip_blanks();
    return true;
}

bool condition(Cursor& c, Condition& out) {
    out = {};
    return field(c, out.field) && delimiter(c) && comparison(c, out, Ends::delimiter);
}

bool negation(Cursor& c) {
    bool negated = false;
    c.labelled("negation operator (not)", [&] {
        negated = c.attempt([&] { return c.literal("not") && delimiter(c); });
        return true;
    });
    return negated;
}

bool connective(Cursor& c, bool& any) {
    return c.labelled("logic operator (and, or)", [&] {
        if (c.attempt([&] { return c.literal("and"); })) {
            any = false;
            return true;
        }
        any = true;
        return c.literal("or");
    });
}

bool node(Cursor& c, FilterNode& out, LogicBudget& budget, std::size_t depth) {
    Condition leaf;
    if (c.attempt([&] { return condition(c, leaf); })) {
        if (++budget.filters > filters_max) return c.exceed("too many filters");
        out.node = std::move(leaf);
        return true;
    }
    if (!c.exceeded().empty()) return false;
    Junction branch;
    branch.negated = negation(c);
    if (!connective(c, branch.any) || !logic_children(c, branch, budget, depth)) return false;
    out.node = std::move(branch);
    return true;
}

}  // namespace

bool logic_children(Cursor& c, Junction& out, LogicBudget& budget, std::size_t depth) {
    if (depth == depth_max) return c.exceed("the conditions are nested too deep");
    if (!parenthesis(c, '(')) return false;
    do {
        FilterNode child;
        if (!node(c, child, budget, depth + 1)) return false;
        out.children.push_back(std::move(child));
    } while (parenthesis(c, ','));
    return parenthesis(c, ')');
}

std::size_t conditions_in(const FilterNode& root) {
    const auto* branch = std::get_if<Junction>(&root.node);
    if (branch == nullptr) return 1;
    std::size_t n = 0;
    for (const FilterNode& child : branch->children) n += conditions_in(child);
    return n;
}

Result<FilterNode> parse_logic(bool any, bool negated, std::string_view text) {
    // PostgREST puts the operator in front of the text before it counts columns.
    const std::size_t shift = (negated ? 4U : 0U) + (any ? 2U : 3U);
    auto branch = parse_all<Junction>(
        "logic tree", text,
        [](Cursor& c, Junction& out) {
            LogicBudget budget;
            return logic_children(c, out, budget, 0);
        },
        shift);
    if (!branch) return std::move(branch).error();
    branch->any = any;
    branch->negated = negated;
    return FilterNode{*std::move(branch)};
}

}  // namespace millrace::request
