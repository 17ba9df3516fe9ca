// Writes conditions: every operator of the dialect, with what it compares to as a parameter.
#include "filters.hpp"

#include <algorithm>

namespace millrace::sql {
namespace {

using request::Condition;
using request::Operator;
using request::Quantifier;

constexpr std::uint32_t json_oid = 114, jsonb_oid = 3802, tsvector_oid = 3614;

std::uint32_t base_type(const catalog::Column& column) {
    return column.base_type_oid != 0 ? column.base_type_oid : column.type_oid;
}

void append_path(Writer& out, const std::vector<request::JsonStep>& path) {
    for (const request::JsonStep& step : path) {
        out << (step.as_text ? "->>" : "->");
        if (const auto* index = std::get_if<std::int64_t>(&step.key)) {
            out.parameter(std::to_string(*index)) << "::int";
        } else {
            out.parameter(std::get<std::string>(step.key));
        }
    }
}

// t0."name", or "schema"."name"(t0).
void append_column(Writer& out, Alias alias, const catalog::Column& column) {
    if (!column.computed) {
        out.column(alias, column.name);
        return;
    }
    out.routine(*column.computed) << '(';
    out.row(alias) << ')';
}

// The function that reads the value of a filter, of a domain that has one; patterns are no values.
const catalog::RoutineName* reader_of(const plan::Condition& condition) {
    const plan::Field& field = condition.field;
    const Operator op = condition.test.op;
    if (!field.json.empty() || op == Operator::like || op == Operator::ilike || op == Operator::isdistinct) return nullptr;
    if (!field.column->represented || !field.column->represented->from_text) return nullptr;
    return &*field.column->represented->from_text;
}

// ANY($1), or ANY(SELECT f(v) FROM unnest($1::text[]) AS v) when f reads each value.
void append_values(Writer& out, std::string_view quantifier, std::string values, const catalog::RoutineName* reader) {
    out << quantifier;
    if (reader == nullptr) {
        out.parameter(std::move(values)) << ')';
        return;
    }
    (out << "SELECT ").routine(*reader) << "(v) FROM unnest(";
    out.parameter(std::move(values)) << "::text[]) AS v)";
}

std::string_view symbol(Operator op) {
    switch (op) {
        case Operator::eq:
            return " = ";
        case Operator::neq:
            return " <> ";
        case Operator::gt:
            return " > ";
        case Operator::gte:
            return " >= ";
        case Operator::lt:
            return " < ";
        case Operator::lte:
            return " <= ";
        case Operator::like:
            return " LIKE ";
        case Operator::ilike:
            return " ILIKE ";
        case Operator::match:
            return " ~ ";
        case Operator::imatch:
            return " ~* ";
        case Operator::isdistinct:
            return " IS DISTINCT FROM ";
        case Operator::cs:
            return " @> ";
        case Operator::cd:
            return " <@ ";
        case Operator::ov:
            return " && ";
        case Operator::sl:
            return " << ";
        case Operator::sr:
            return " >> ";
        case Operator::nxr:
            return " &< ";
        case Operator::nxl:
            return " &> ";
        case Operator::adj:
            return " -|- ";
        case Operator::fts:
            return " @@ to_tsquery(";
        case Operator::plfts:
            return " @@ plainto_tsquery(";
        case Operator::phfts:
            return " @@ phraseto_tsquery(";
        case Operator::wfts:
            return " @@ websearch_to_tsquery(";
        case Operator::in:
        case Operator::is:
            break;  // have forms of their own
    }
    return " = ";
}

bool is_full_text(Operator op) {
    return op == Operator::fts || op == Operator::plfts || op == Operator::phfts || op == Operator::wfts;
}

// In patterns "*" stands for "%", which is awkward in URLs.
std::string pattern(Operator op, std::string value) {
    if (op == Operator::like || op == Operator::ilike) std::ranges::replace(value, '*', '%');
    return value;
}

// What IS takes cannot be a parameter; the parser lets no other word than these pass.
std::string_view is_word(std::string_view value) {
    if (value == "null") return " IS NULL";
    if (value == "not_null") return " IS NOT NULL";
    if (value == "true") return " IS TRUE";
    if (value == "false") return " IS FALSE";
    return " IS UNKNOWN";
}

// "in.()" means no value at all.
bool names_nothing(const std::vector<std::string>& values) {
    return values.empty() || (values.size() == 1 && values.front().empty());
}

void append_in(Writer& out, Alias alias, const plan::Condition& condition) {
    append_field(out, alias, condition.field);
    const std::vector<std::string>& values = condition.test.values;
    append_values(out, " = ANY(", names_nothing(values) ? "{}" : array_literal(values), reader_of(condition));
}

void append_full_text(Writer& out, Alias alias, const plan::Condition& condition) {
    const Condition& test = condition.test;
    const bool vector = condition.field.json.empty() && base_type(*condition.field.column) == tsvector_oid;
    if (!vector) out << "to_tsvector(";
    std::size_t language = 0;  // the parameter that holds it
    if (!vector && !test.language.empty()) {
        out.parameter(test.language) << "::regconfig, ";
        language = out.parameters();
    }
    append_field(out, alias, condition.field);
    if (!vector) out << ')';
    out << symbol(test.op);
    if (language != 0) {
        out.parameter_again(language) << "::regconfig, ";
    } else if (!test.language.empty()) {
        out.parameter(test.language) << "::regconfig, ";
    }
    out.parameter(test.value) << ')';
}

void append_quantified(Writer& out, const Condition& test, const catalog::RoutineName* reader) {
    // As written it is an array literal already, and a NULL in it stays one.
    append_values(out, test.quantifier == Quantifier::any ? "ANY(" : "ALL(",
                  pattern(test.op, test.value.empty() ? array_literal(test.values) : test.value), reader);
}

void append_comparison(Writer& out, Alias alias, const plan::Condition& condition) {
    const Condition& test = condition.test;
    append_field(out, alias, condition.field);
    out << symbol(test.op);
    const catalog::RoutineName* reader = reader_of(condition);
    if (test.quantifier != Quantifier::none) return append_quantified(out, test, reader);
    if (reader != nullptr) out.routine(*reader) << '(';
    out.parameter(pattern(test.op, test.value));
    if (reader != nullptr) out << "::text)";
}

}  // namespace

void append_field(Writer& out, Alias alias, const plan::Field& field) {
    if (field.json.empty()) return append_column(out, alias, *field.column);
    const std::uint32_t type = base_type(*field.column);
    const bool is_json = type == json_oid || type == jsonb_oid;
    out << (is_json ? "(" : "(to_jsonb(");
    append_column(out, alias, *field.column);
    if (!is_json) out << ')';
    append_path(out, field.json);
    out << ')';
}

void append_condition(Writer& out, Alias alias, const plan::Condition& condition) {
    const Condition& test = condition.test;
    if (test.negated) out << "NOT ";
    if (test.op == Operator::is) {
        append_field(out, alias, condition.field);
        out << is_word(test.value);
    } else if (test.op == Operator::in) {
        append_in(out, alias, condition);
    } else if (is_full_text(test.op)) {
        append_full_text(out, alias, condition);
    } else {
        append_comparison(out, alias, condition);
    }
}

}  // namespace millrace::sql
