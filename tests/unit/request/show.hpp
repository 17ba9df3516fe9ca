// Writes parsed requests in one short line each, so that tables of cases stay readable.
#pragma once

#include <string>

#include "millrace/core/request.hpp"

namespace millrace::request::testing {

inline std::string show(const FieldPath& field) {
    std::string out = field.column;
    for (const JsonStep& step : field.json) {
        out += step.as_text ? "->>" : "->";
        if (const auto* index = std::get_if<std::int64_t>(&step.key)) {
            out += '#' + std::to_string(*index);
        } else {
            out += std::get<std::string>(step.key);
        }
    }
    return out;
}

inline std::string show(const std::vector<SelectItem>& items);

inline std::string show(const SelectColumn& column) {
    static constexpr const char* names[] = {"", ".count", ".sum", ".avg", ".min", ".max"};
    std::string out = column.alias.empty() ? "" : column.alias + "=";
    out += show(column.field);
    if (!column.cast.empty()) out += "::" + column.cast;
    out += names[static_cast<int>(column.aggregate)];
    if (!column.aggregate_cast.empty()) out += "::" + column.aggregate_cast;
    return out;
}

inline std::string show(const SelectEmbed& embed) {
    std::string out = embed.spread ? "..." : "";
    if (!embed.alias.empty()) out += embed.alias + "=";
    out += embed.relation;
    if (!embed.hint.empty()) out += "!" + embed.hint;
    if (embed.join) out += *embed.join == JoinKind::inner ? "!INNER" : "!LEFT";
    return out + "(" + show(embed.items) + ")";
}

inline std::string show(const std::vector<SelectItem>& items) {
    std::string out;
    for (const SelectItem& item : items) {
        if (!out.empty()) out += ' ';
        out += std::visit([](const auto& node) { return show(node); }, item.node);
    }
    return out;
}

inline std::string show(const std::vector<std::string>& values) {
    std::string out = "[";
    for (const auto& value : values) {
        if (out.size() > 1) out += '|';
        out += value;
    }
    return out + "]";
}

inline std::string show(const Condition& condition) {
    static constexpr const char* names[] = {"eq",     "neq", "gt",  "gte",        "lt",    "lte",   "like", "ilike", "match",
                                            "imatch", "in",  "is",  "isdistinct", "cs",    "cd",    "ov",   "sl",    "sr",
                                            "nxr",    "nxl", "adj", "fts",        "plfts", "phfts", "wfts"};
    std::string out = condition.negated ? "!" : "";
    out += show(condition.field) + " " + names[static_cast<int>(condition.op)];
    if (condition.quantifier == Quantifier::any) out += "-any";
    if (condition.quantifier == Quantifier::all) out += "-all";
    if (!condition.language.empty()) out += "<" + condition.language + ">";
    if (condition.op != Operator::in) out += " '" + condition.value + "'";
    if (condition.op == Operator::in || !condition.values.empty()) out += " " + show(condition.values);
    return out;
}

inline std::string show(const FilterNode& node) {
    if (const auto* leaf = std::get_if<Condition>(&node.node)) return show(*leaf);
    const auto& branch = std::get<Junction>(node.node);
    std::string out = branch.negated ? "!" : "";
    out += branch.any ? "or{" : "and{";
    for (const FilterNode& child : branch.children) {
        if (&child != &branch.children.front()) out += "; ";
        out += show(child);
    }
    return out + "}";
}

inline std::string show(const std::vector<OrderTerm>& terms) {
    std::string out;
    for (const OrderTerm& term : terms) {
        if (!out.empty()) out += ' ';
        if (!term.relation.empty()) out += term.relation + "/";
        out += show(term.field);
        out += term.descending ? "-" : "+";
        if (term.nulls_first) out += *term.nulls_first ? "first" : "last";
    }
    return out;
}

inline std::string show(const Window& window) {
    return std::to_string(window.offset) + "," + (window.limit ? std::to_string(*window.limit) : "all");
}

template <class T>
std::string show(const std::vector<Placed<T>>& placed) {
    std::string out;
    for (const auto& one : placed) {
        if (!out.empty()) out += " & ";
        for (const auto& name : one.path) out += name + ".";
        out += show(one.what);
    }
    return out;
}

// What a client is told: message and details.
inline std::string show(const Error& error) {
    return std::to_string(error.status) + " " + error.code + " " + error.message +
           (error.details ? " | " + *error.details : std::string());
}

template <class T>
std::string show(const Result<T>& result) {
    return result ? show(*result) : show(result.error());
}

}  // namespace millrace::request::testing
