// Filters as SQL: every operator, and what travels as a parameter.
#include <gtest/gtest.h>

#include "golden.hpp"

namespace millrace::shop {
namespace {

using request::Operator;

request::ApiRequest filtered(request::Condition condition) {
    auto out = read({col("id")});
    where(out, std::move(condition));
    return out;
}

// The WHERE of a filter on products, and what it compares with.
void check_filter(const request::Condition& condition, const std::string& where_text, const std::vector<std::string>& values,
                  const char* resource = "products") {
    check({{where_text.c_str(), resource, filtered(condition),
            "SELECT t0.\"id\" FROM \"public\".\"" + std::string(resource) + "\" AS t0 WHERE " + where_text, values}},
          v1());
}

TEST(SqlFilters, every_operator_has_its_sql) {
    struct Row {
        Operator op;
        const char* sql;
    };
    for (const Row& row : std::initializer_list<Row>{{Operator::eq, "= $1"},
                                                     {Operator::neq, "<> $1"},
                                                     {Operator::gt, "> $1"},
                                                     {Operator::gte, ">= $1"},
                                                     {Operator::lt, "< $1"},
                                                     {Operator::lte, "<= $1"},
                                                     {Operator::like, "LIKE $1"},
                                                     {Operator::ilike, "ILIKE $1"},
                                                     {Operator::match, "~ $1"},
                                                     {Operator::imatch, "~* $1"},
                                                     {Operator::isdistinct, "IS DISTINCT FROM $1"},
                                                     {Operator::cs, "@> $1"},
                                                     {Operator::cd, "<@ $1"},
                                                     {Operator::ov, "&& $1"},
                                                     {Operator::sl, "<< $1"},
                                                     {Operator::sr, ">> $1"},
                                                     {Operator::nxr, "&< $1"},
                                                     {Operator::nxl, "&> $1"},
                                                     {Operator::adj, "-|- $1"}}) {
        check_filter(is("name", row.op, "v"), std::string("t0.\"name\" ") + row.sql, {"v"});
        check_filter(negated(is("name", row.op, "v")), std::string("NOT t0.\"name\" ") + row.sql, {"v"});
    }
}

TEST(SqlFilters, stars_in_patterns_are_percent_signs) {
    check_filter(is("name", Operator::like, "*a*"), "t0.\"name\" LIKE $1", {"%a%"});
    check_filter(is("name", Operator::match, "a*"), "t0.\"name\" ~ $1", {"a*"});
}

TEST(SqlFilters, is_takes_words_that_cannot_be_parameters) {
    check_filter(is("name", Operator::is, "null"), "t0.\"name\" IS NULL", {});
    check_filter(is("name", Operator::is, "not_null"), "t0.\"name\" IS NOT NULL", {});
    check_filter(negated(is("name", Operator::is, "true")), "NOT t0.\"name\" IS TRUE", {});
    check_filter(is("name", Operator::is, "false"), "t0.\"name\" IS FALSE", {});
    check_filter(is("name", Operator::is, "unknown"), "t0.\"name\" IS UNKNOWN", {});
}

TEST(SqlFilters, lists_are_one_array_parameter) {
    auto in = is("id", Operator::in, "");
    in.values = {"1", "a\"b\\c", ""};
    check_filter(in, "t0.\"id\" = ANY($1)", {R"({"1","a\"b\\c",""})"});
    in.values = {};
    check_filter(in, "t0.\"id\" = ANY($1)", {"{}"});
}

TEST(SqlFilters, quantifiers_take_an_array_as_written) {
    auto any = is("name", Operator::like, "{*a,b}");
    any.quantifier = request::Quantifier::any;
    any.values = {"*a", "b"};
    check_filter(any, "t0.\"name\" LIKE ANY($1)", {"{%a,b}"});
    any.quantifier = request::Quantifier::all;
    any.op = Operator::gt;
    check_filter(any, "t0.\"name\" > ALL($1)", {"{*a,b}"});
}

TEST(SqlFilters, full_text_has_a_language_and_a_vector) {
    check_filter(is("name", Operator::fts, "cat"), "to_tsvector(t0.\"name\") @@ to_tsquery($1)", {"cat"});
    auto english = is("name", Operator::wfts, "cat");
    english.language = "english";
    check_filter(english, "to_tsvector($1::regconfig, t0.\"name\") @@ websearch_to_tsquery($1::regconfig, $2)",
                 {"english", "cat"});
    check_filter(is("vector", Operator::plfts, "cat"), "t0.\"vector\" @@ plainto_tsquery($1)", {"cat"}, "words");
    auto vector = is("vector", Operator::phfts, "cat");
    vector.language = "english";
    check_filter(vector, "t0.\"vector\" @@ phraseto_tsquery($1::regconfig, $2)", {"english", "cat"}, "words");
}

TEST(SqlFilters, json_paths_are_parameters_too) {
    check_filter(eq("attributes->a->>0", "x"), "(t0.\"attributes\"->$1->>$2::int) = $3", {"a", "0", "x"});
    check_filter(eq("tags->0", "\"x\""), "(to_jsonb(t0.\"tags\")->$1::int) = $2", {"0", "\"x\""});
}

TEST(SqlFilters, trees_nest) {
    auto request = read({col("id")});
    const request::FilterNode both{request::Junction{false, false, {{eq("id", "2")}, {is("price", Operator::lt, "3")}}}};
    request.filters.push_back({{}, {request::Junction{true, true, {{eq("id", "1")}, both}}}});
    check({{"not.or",
            "products",
            request,
            "SELECT t0.\"id\" FROM \"public\".\"products\" AS t0 WHERE NOT (t0.\"id\" = $1 OR (t0.\"id\" = $2 AND "
            "t0.\"price\" < $3))",
            {"1", "2", "3"}}},
          v1());
}

}  // namespace
}  // namespace millrace::shop
