// order=: terms with direction and place of nulls, perhaps of a related resource.
#include "grammar.hpp"

namespace millrace::request {
namespace {

bool suffix(Cursor& c, std::string_view word) {
    return c.attempt([&] { return delimiter(c) && c.literal(word); });
}

bool direction_and_nulls(Cursor& c, OrderTerm& out) {
    if (!suffix(c, "asc")) out.descending = suffix(c, "desc");
    if (suffix(c, "nullsfirst")) {
        out.nulls_first = true;
    } else if (suffix(c, "nullslast")) {
        out.nulls_first = false;
    }
    return c.ahead(",") || c.end();
}

bool related_term(Cursor& c, OrderTerm& out) {
    out = {};
    Name relation;
    if (!name(c, relation) || !c.take('(') || !field(c, out.field) || !c.take(')')) return false;
    out.relation = relation.text();
    return direction_and_nulls(c, out);
}

bool own_term(Cursor& c, OrderTerm& out) {
    out = {};
    return field(c, out.field) && direction_and_nulls(c, out);
}

bool term(Cursor& c, OrderTerm& out) {
    c.skip_blanks();
    return c.attempt([&] { return related_term(c, out); }) || own_term(c, out);
}

}  // namespace

bool order_terms(Cursor& c, std::vector<OrderTerm>& out) {
    do {
        if (out.size() == order_terms_max) return c.exceed("too many terms");
        OrderTerm one;
        if (!term(c, one)) return false;
        out.push_back(std::move(one));
    } while (c.take(','));
    return true;
}

Result<std::vector<OrderTerm>> parse_order(std::string_view text) {
    return parse_all<std::vector<OrderTerm>>("order", text,
                                             [](Cursor& c, std::vector<OrderTerm>& out) { return order_terms(c, out); });
}

}  // namespace millrace::request
