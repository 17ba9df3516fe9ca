// Filters, logic trees and orders: what is accepted and as what, what is refused and why.
#include <gtest/gtest.h>

#include "show.hpp"

namespace millrace::request {
namespace {

using testing::show;

struct Case {
    const char* text;
    const char* shown;
};

TEST(FilterParser, reads_every_operator) {
    for (const char* op : {"eq", "neq", "gt", "gte", "lt",  "lte", "like", "ilike", "match", "imatch", "isdistinct", "cs",
                           "cd", "ov",  "sl", "sr",  "nxr", "nxl", "adj",  "fts",   "plfts", "phfts",  "wfts"}) {
        EXPECT_EQ(show(parse_condition("c", std::string(op) + ".v")), "c " + std::string(op) + " 'v'");
        EXPECT_EQ(show(parse_condition("c", "not." + std::string(op) + ".v")), "!c " + std::string(op) + " 'v'");
    }
}

TEST(FilterParser, reads_values_lists_and_modifiers) {
    const Case cases[] = {
        {"eq.", "c eq ''"},
        {"eq.a.b,c)(", "c eq 'a.b,c)('"},
        {"eq.\"quoted\"", "c eq '\"quoted\"'"},
        {"like.*x*", "c like '*x*'"},
        {"cs.{a,b}", "c cs '{a,b}'"},
        {"in.(1,2,3)", "c in [1|2|3]"},
        {"in.()", "c in []"},
        {"in.( 1,2 )", "c in [1|2 ]"},
        {R"(in.("a,b","c\"d","e\\f",g))", R"(c in [a,b|c"d|e\f|g])"},
        {R"(in.("a"b,c))", R"(c in ["a"b|c])"},
        {"in.(a,,b)", "c in [a||b]"},
        {"not.in.(1)", "!c in [1]"},
        {"is.null", "c is 'null'"},
        {"is.NULL", "c is 'null'"},
        {"is.Not_Null", "c is 'not_null'"},
        {"is.true", "c is 'true'"},
        {"is.FALSE", "c is 'false'"},
        {"not.is.unknown", "!c is 'unknown'"},
        {"eq(any).{1,2}", "c eq-any '{1,2}' [1|2]"},
        {R"(like(all).{"a,b*",c*})", R"(c like-all '{"a,b*",c*}' [a,b*|c*])"},
        {R"(ilike(any).{"a\"b"})", R"(c ilike-any '{"a\"b"}' [a"b])"},
        {"gt(any).{}", "c gt-any '{}'"},
        {"gte(all).1", "c gte-all '1'"},
        {"eq(any).{{1},{2}}", "c eq-any '{{1},{2}}'"},
        {"eq(any).{\"open}", "c eq-any '{\"open}'"},
        {"fts(english).a b", "c fts<english> 'a b'"},
        {"not.wfts(french).x", "!c wfts<french> 'x'"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_condition("c", c.text)), c.shown) << c.text;
}

TEST(FilterParser, tells_an_empty_list_from_a_list_of_the_empty_string) {
    EXPECT_EQ(parse_condition("c", "in.()")->values.size(), 0U);
    EXPECT_EQ(parse_condition("c", "in.(\"\")")->values.size(), 1U);
}

TEST(FilterParser, reads_fields) {
    EXPECT_EQ(show(parse_condition("data->a->>b", "eq.1")), "data->a->>b eq '1'");
    EXPECT_EQ(show(parse_condition("\"a.b\"", "eq.1")), "a.b eq '1'");
    EXPECT_EQ(show(parse_condition("Unit Price", "lt.200")), "Unit Price lt '200'");
}

TEST(FilterParser, says_where_and_what_it_expected) {
    const Case cases[] = {
        {"noop.0", "1) | unexpected \"o\" expecting \"not\" or operator (eq, gt, ...)"},
        {"val", "1) | unexpected \"v\" expecting \"not\" or operator (eq, gt, ...)"},
        {"", "1) | unexpected end of input expecting \"not\" or operator (eq, gt, ...)"},
        {"fts().value", "5) | unexpected \")\" expecting operator (eq, gt, ...)"},
        {"eq().value", "4) | unexpected \")\" expecting operator (eq, gt, ...)"},
        {"is().value", "3) | unexpected \"(\" expecting operator (eq, gt, ...)"},
        {"in().value", "3) | unexpected \"(\" expecting operator (eq, gt, ...)"},
        {"eqx.1", "3) | unexpected \"x\" expecting operator (eq, gt, ...)"},
        {"in.1,2", "4) | unexpected \"1\" expecting \"(\""},
        {"is.nil", "5) | unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)"},
        {"is.nullx", "8) | unexpected 'x' expecting end of input"},
        {"in.(1)x", "7) | unexpected 'x' expecting end of input"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(show(parse_condition("c", c.text)),
                  std::string("400 PGRST100 \"failed to parse filter (") + c.text + ")\" (line 1, column " + c.shown);
}

TEST(FilterParser, refuses_what_does_not_fit) {
    for (const char* text : {"eq", "eq1", "EQ.1", "not", "not.", "not.not.eq.1", "in.", "in.(", "in.(1", "is.", "eq(some).1",
                             "neq(any).{1}", "cs(any).{1}", "fts(en.x", "fts(en-us).x", "between.1", "is.nul", "null", "1"})
        EXPECT_FALSE(parse_condition("c", text)) << text;
}

TEST(FilterParser, bounds_lists) {
    std::string list = "in.(0";
    for (int i = 1; i < 10'000; ++i) list += ",1";
    EXPECT_TRUE(parse_condition("c", list + ")"));
    EXPECT_EQ(parse_condition("c", list + ",1)").error().details, "the list is too long");
}

TEST(LogicParser, reads_trees) {
    const Case cases[] = {
        {"(a.eq.1,b.eq.2)", "or{a eq '1'; b eq '2'}"},
        {"(a.eq.1)", "or{a eq '1'}"},
        {"( a.eq.1 , b.eq.2 )", "or{a eq '1 '; b eq '2 '}"},
        {"(and(a.gt.1,b.lt.2),or(c.is.null,d.in.(1,2)))", "or{and{a gt '1'; b lt '2'}; or{c is 'null'; d in [1|2]}}"},
        {"(not.and(a.eq.1,b.eq.2),c.not.eq.3)", "or{!and{a eq '1'; b eq '2'}; !c eq '3'}"},
        {"(a.eq.\"x,y)\",b.eq.z)", "or{a eq 'x,y)'; b eq 'z'}"},
        {R"((a.eq."q\"q",b.eq."half"x))", R"(or{a eq 'q"q'; b eq '"half"x'})"},
        {"(a.cs.{1,2},b.ov.\"[1,2)\")", "or{a cs '{1,2}'; b ov '[1,2)'}"},
        {"(a.cs.{1,2},b.cd.{})", "or{a cs '{1,2}'; b cd '{}'}"},
        {"(data->>k.eq.1,data->0->x.is.null)", "or{data->>k eq '1'; data->#0->x is 'null'}"},
        {"(a.eq.,b.eq.)", "or{a eq ''; b eq ''}"},
        {"(\"or\".eq.1,and.eq.2)", "or{or eq '1'; and eq '2'}"},
        {"(a.like(any).{x*,y*},b.fts(simple).z)", "or{a like-any '{x*,y*}' [x*|y*]; b fts<simple> 'z'}"},
        {"(a.eq.1.5,b.eq.x.y)", "or{a eq '1.5'; b eq 'x.y'}"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_logic(true, false, c.text)), c.shown) << c.text;
    EXPECT_EQ(show(parse_logic(false, true, "(a.eq.1)")), "!and{a eq '1'}");
}

TEST(LogicParser, says_where_and_what_it_expected) {
    const Case cases[] = {
        {"()",
         "4) | unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, "
         "or)"},
        {"(id.in.1,2,id.eq.3)", "10) | unexpected \"1\" expecting \"(\""},
        {")(", "3) | unexpected \")\" expecting \"(\""},
        {"(id.eq.1,not.xor(id.eq.2,id.eq.3))", "16) | unexpected \"x\" expecting logic operator (and, or)"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(show(parse_logic(true, false, c.text)),
                  std::string("400 PGRST100 \"failed to parse logic tree (") + c.text + ")\" (line 1, column " + c.shown);
    EXPECT_EQ(show(parse_logic(false, false, "(ord(id.eq.1,id.eq.1),id.eq.2)")),
              "400 PGRST100 \"failed to parse logic tree ((ord(id.eq.1,id.eq.1),id.eq.2))\" (line 1, column 7) | unexpected "
              "\"d\" expecting \"(\"");
}

TEST(LogicParser, refuses_what_does_not_fit) {
    for (const char* text : {"", "(", ")", "(a.eq.1", "a.eq.1", "(a.eq.1))", "(a.ov.[1,2])", "(a.eq.1)x", "(a)", "(a.b.c)",
                             "(a.eq.1,)", "(,a.eq.1)", "(and())", "(not(a.eq.1))", "(a.is.maybe)", "(a.in.(1)"})
        EXPECT_FALSE(parse_logic(true, false, text)) << text;
}

TEST(LogicParser, bounds_depth_and_number_of_conditions) {
    const auto nested = [](int depth) {
        std::string text = "(";
        for (int i = 1; i < depth; ++i) text += "and(";
        return text + "a.eq.1" + std::string(static_cast<std::size_t>(depth), ')');
    };
    EXPECT_TRUE(parse_logic(true, false, nested(64)));
    EXPECT_EQ(parse_logic(true, false, nested(65)).error().details, "the conditions are nested too deep");
    EXPECT_FALSE(parse_logic(true, false, nested(2000)));
    std::string many = "(a.eq.1";
    for (int i = 1; i < 500; ++i) many += ",a.eq.1";
    EXPECT_TRUE(parse_logic(true, false, many + ")"));
    EXPECT_EQ(parse_logic(true, false, many + ",a.eq.1)").error().details, "too many filters");
}

TEST(OrderParser, reads_terms) {
    const Case cases[] = {
        {"id", "id+"},
        {"id.asc", "id+"},
        {"id.desc", "id-"},
        {"id.nullsfirst", "id+first"},
        {"id.desc.nullslast,name", "id-last name+"},
        {"a.asc.nullsfirst, b.desc", "a+first b-"},
        {"data->>x.desc.nullslast", "data->>x-last"},
        {"data->0.desc", "data->#0-"},
        {"json_col->!@#$%^&*_a.asc.nullslast", "json_col->!@#$%^&*_a+last"},
        {"clients(name).desc", "clients/name-"},
        {"clients(data->k).desc.nullsfirst,id", "clients/data->k-first id+"},
        {"\"a.b\".desc", "a.b-"},
        {"Unit Price.desc", "Unit Price-"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_order(c.text)), c.shown) << c.text;
}

TEST(OrderParser, says_where_and_what_it_expected) {
    const Case cases[] = {
        {"id.asc.nullslasttt", "17) | unexpected 't' expecting \",\" or end of input"},
        {"id.nullslasttt", "13) | unexpected 't' expecting \",\" or end of input"},
        {"id.ac", "4) | unexpected \"c\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
        {"id.descc", "8) | unexpected 'c' expecting delimiter (.), \",\" or end of input"},
        {"id.nulsfist", "4) | unexpected \"n\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
        {"id.smth34", "4) | unexpected \"s\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
        {"id.asc.nlsfst", "8) | unexpected \"l\" expecting \"nullsfirst\" or \"nullslast\""},
        {"id.asc.smth34", "8) | unexpected \"s\" expecting \"nullsfirst\" or \"nullslast\""},
        {"clients(name,id)",
         "8) | unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end of input"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(show(parse_order(c.text)),
                  std::string("400 PGRST100 \"failed to parse order (") + c.text + ")\" (line 1, column " + c.shown);
}

TEST(OrderParser, refuses_what_does_not_fit) {
    for (const char* text : {"", ",", "id,", ",id", "id.", "id.asc.desc", "id.nullslast.desc", "id desc, b)", "rel(id", "rel()",
                             "rel(a)(b)", "id::text", "id.asc.", "(id)"})
        EXPECT_FALSE(parse_order(text)) << text;
    std::string many = "a";
    for (int i = 0; i < 100; ++i) many += ",a";
    EXPECT_EQ(parse_order(many).error().details, "too many terms");
}

}  // namespace
}  // namespace millrace::request
