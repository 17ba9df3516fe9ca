// What a filter compares with: not., an operator with its quantifier or language, and a value or a list.
#include <algorithm>
#include <array>
#include <optional>

#include "grammar.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

// What may stand between an operator's name and its dot.
enum class Modifier : std::uint8_t { none, language, quantifier };

struct OperatorRow {
    std::string_view word;
    Operator op;
    Modifier modifier;
};
// In the order in which they are tried: gte before gt, for both begin alike.
constexpr std::array operator_rows = {
    OperatorRow{"in", Operator::in, Modifier::none},
    OperatorRow{"is", Operator::is, Modifier::none},
    OperatorRow{"isdistinct", Operator::isdistinct, Modifier::none},
    OperatorRow{"fts", Operator::fts, Modifier::language},
    OperatorRow{"plfts", Operator::plfts, Modifier::language},
    OperatorRow{"phfts", Operator::phfts, Modifier::language},
    OperatorRow{"wfts", Operator::wfts, Modifier::language},
    OperatorRow{"neq", Operator::neq, Modifier::none},
    OperatorRow{"cs", Operator::cs, Modifier::none},
    OperatorRow{"cd", Operator::cd, Modifier::none},
    OperatorRow{"ov", Operator::ov, Modifier::none},
    OperatorRow{"sl", Operator::sl, Modifier::none},
    OperatorRow{"sr", Operator::sr, Modifier::none},
    OperatorRow{"nxr", Operator::nxr, Modifier::none},
    OperatorRow{"nxl", Operator::nxl, Modifier::none},
    OperatorRow{"adj", Operator::adj, Modifier::none},
    OperatorRow{"eq", Operator::eq, Modifier::quantifier},
    OperatorRow{"gte", Operator::gte, Modifier::quantifier},
    OperatorRow{"gt", Operator::gt, Modifier::quantifier},
    OperatorRow{"lte", Operator::lte, Modifier::quantifier},
    OperatorRow{"lt", Operator::lt, Modifier::quantifier},
    OperatorRow{"like", Operator::like, Modifier::quantifier},
    OperatorRow{"ilike", Operator::ilike, Modifier::quantifier},
    OperatorRow{"match", Operator::match, Modifier::quantifier},
    OperatorRow{"imatch", Operator::imatch, Modifier::quantifier},
};

constexpr std::array<std::string_view, 5> is_words = {"null", "not_null", "true", "false", "unknown"};

bool language(Cursor& c, std::string& out) {
    return c.attempt([&] {
        std::string_view word;
        if (!c.take('(') || !identifier(c, word) || !c.take(')')) return false;
        out = word;
        return true;
    });
}

bool quantifier(Cursor& c, Quantifier& out) {
    return c.attempt([&] {
        if (!c.take('(')) return false;
        const bool any = c.attempt([&] { return c.literal("any"); });
        if (!any && !c.literal("all")) return false;
        out = any ? Quantifier::any : Quantifier::all;
        return c.take(')');
    });
}

bool operator_with_modifier(Cursor& c, const OperatorRow& row, Condition& out) {
    if (!c.literal(row.word)) return false;
    out.op = row.op;
    out.language.clear();
    out.quantifier = Quantifier::none;
    if (row.modifier == Modifier::language) language(c, out.language);
    if (row.modifier == Modifier::quantifier) quantifier(c, out.quantifier);
    return delimiter(c);
}

bool operator_name(Cursor& c, Condition& out) {
    return c.labelled("operator (eq, gt, ...)", [&] {
        for (const auto& row : operator_rows)
            if (c.attempt([&] { return operator_with_modifier(c, row, out); })) return true;
        return false;
    });
}

bool is_value(Cursor& c, std::string& out) {
    return c.labelled("isVal: (null, not_null, true, false, unknown)", [&] {
        for (std::string_view word : is_words) {
            if (!c.attempt([&] { return c.literal_any_case(word); })) continue;
            out = word;
            return true;
        }
        return false;
    });
}

bool ends_value(char ch) { return ch == ',' || ch == ')'; }

bool list(Cursor& c, std::vector<std::string>& out) {
    c.skip_blanks();
    if (!c.take('(')) return false;
    c.skip_blanks();
    Scalar element;
    do {
        if (out.size() == list_elements_max) return c.exceed("the list is too long");
        if (!scalar_element(c, element)) return false;
        out.push_back(element.text());
    } while (c.take(','));
    if (!c.take(')')) return false;
    c.skip_blanks();
    if (out.size() == 1 && out.front().empty() && !element.quoted) out.clear();
    return true;
}

// {…} in a logic tree may hold commas.
bool braces(Cursor& c) {
    return c.attempt([&] {
        if (!c.take('{')) return false;
        c.take_while([](char ch) { return ch != '{' && ch != '}'; });
        return c.take('}');
    });
}

void value(Cursor& c, std::string& out, Ends ends) {
    const std::size_t start = c.at();
    if (ends == Ends::text) {
        c.take_while([](char) { return true; });
        out = c.since(start);
        return;
    }
    if (braces(c)) {
        out = c.since(start);
        return;
    }
    Scalar found;
    scalar_element(c, found);
    out = found.text();
}

// One element of an array literal, {a,"b,c"}; nothing when it is malformed.
std::optional<std::string> array_element(std::string_view literal, std::size_t& at) {
    std::string out;
    if (literal[at] == '"') {
        for (++at; literal[at] != '"'; ++at) {
            if (literal[at] == '\\') ++at;
            if (at + 1 >= literal.size()) return std::nullopt;
            out += literal[at];
        }
        ++at;
        return out;
    }
    while (literal[at] != ',' && at + 1 < literal.size()) {
        if (literal[at] == '"' || literal[at] == '{' || literal[at] == '}') return std::nullopt;
        out += literal[at++];
    }
    return std::string(text::trim(out));
}

// The elements of a one-dimensional array literal; none when it is anything else, which Postgres then judges.
std::vector<std::string> array_elements(std::string_view literal) {
    std::vector<std::string> out;
    if (literal.size() <= 2 || literal.front() != '{' || literal.back() != '}') return out;
    for (std::size_t at = 1; out.size() < list_elements_max;) {
        auto element = array_element(literal, at);
        if (!element || at >= literal.size()) return {};
        out.push_back(*std::move(element));
        if (at + 1 == literal.size()) return out;
        if (literal[at++] != ',') return {};
    }
    return {};
}

}  // namespace

std::string_view name(Operator op) { return std::ranges::find(operator_rows, op, &OperatorRow::op)->word; }

std::optional<Operator> operator_named(std::string_view word) {
    const auto row = std::ranges::find(operator_rows, word, &OperatorRow::word);
    return row == operator_rows.end() ? std::nullopt : std::optional(row->op);
}

bool scalar_element(Cursor& c, Scalar& out) {
    const bool is_quoted = c.attempt([&] { return quoted(c, out.raw) && (c.done() || c.peek() == ',' || c.peek() == ')'); });
    out.quoted = is_quoted;
    if (is_quoted) return true;
    const std::size_t start = c.at();
    c.take_while([](char ch) { return !ends_value(ch); });
    out.raw = c.since(start);
    return true;
}

bool comparison_head(Cursor& c, Condition& out) {
    out.negated = c.attempt([&] { return c.literal("not") && delimiter(c); });
    return operator_name(c, out);
}

bool comparison(Cursor& c, Condition& out, Ends ends) {
    if (!comparison_head(c, out)) return false;
    if (out.op == Operator::in) return list(c, out.values);
    if (out.op == Operator::is) return is_value(c, out.value);
    value(c, out.value, ends);
    if (out.quantifier != Quantifier::none) out.values = array_elements(out.value);
    return true;
}

Result<Condition> parse_condition(std::string_view field_text, std::string_view text) {
    auto where = parse_all<FieldPath>("tree path", field_text, [](Cursor& c, FieldPath& out) { return field(c, out); });
    if (!where) return std::move(where).error();
    auto condition =
        parse_all<Condition>("filter", text, [](Cursor& c, Condition& out) { return comparison(c, out, Ends::text); });
    if (condition) condition->field = std::move(*where);
    return condition;
}

}  // namespace millrace::request
