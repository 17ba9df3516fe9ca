// select=: what is accepted and as what, what is refused and why.
#include <gtest/gtest.h>

#include "show.hpp"

namespace millrace::request {
namespace {

using testing::show;

struct Case {
    const char* text;
    const char* shown;
};

TEST(SelectParser, reads_columns) {
    const Case cases[] = {
        {"*", "*"},
        {"", ""},
        {"id", "id"},
        {"id,name", "id name"},
        {" id , name ", "id name"},
        {"*,id", "* id"},
        {"CamelCase,with_underscore,$dollar,1digit", "CamelCase with_underscore $dollar 1digit"},
        {"two words,a - b", "two words a-b"},
        {"with-dash", "with-dash"},
        {"\"quoted, with (all) .:*\"", "quoted, with (all) .:*"},
        {R"("a\"b\\c")", R"(a"b\c)"},
        {"\" kept \"", " kept "},
        {"موارد,قيمة", "موارد قيمة"},
        {"alias:column", "alias=column"},
        {"\"my alias\":column", "my alias=column"},
        {"col::text", "col::text"},
        {"col::double precision", "col::double precision"},
        {"a:col::int4", "a=col::int4"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_select(c.text)), c.shown) << c.text;
}

TEST(SelectParser, reads_json_paths) {
    const Case cases[] = {
        {"data->a", "data->a"},
        {"data->>a", "data->>a"},
        {"data->a->>b", "data->a->>b"},
        {"data->0", "data->#0"},
        {"data->>-1", "data->>#-1"},
        {"data->0->>x::int", "data->#0->>x::int"},
        {"x:data->0,y", "x=data->#0 y"},
        {"data->!@#$%^&*_a", "data->!@#$%^&*_a"},
        {"data->key with blanks->>b", "data->key with blanks->>b"},
        {"data->a-b", "data->a-b"},
        {"data->\"a.b\"->>c", "data->a.b->>c"},
        {"data->1a", "data->1a"},
        {"rel(data->0)", "rel(data->#0)"},
        {"data->99999999999999999999", "data->#9223372036854775807"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_select(c.text)), c.shown) << c.text;
}

TEST(SelectParser, reads_aggregates) {
    const Case cases[] = {
        {"count()", "*.count"},
        {"n:count()", "n=*.count"},
        {"count()::text", "*.count::text"},
        {"amount.sum()", "amount.sum"},
        {"amount.sum()::int", "amount.sum::int"},
        {"amount::numeric.avg()::int", "amount::numeric.avg::int"},
        {"t:amount.max(),amount.min(),id.count()", "t=amount.max amount.min id.count"},
        {"data->x::int.sum()", "data->x::int.sum"},
        {"count", "count"},
        {"rel(count())", "rel(*.count)"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_select(c.text)), c.shown) << c.text;
}

TEST(SelectParser, reads_embeds) {
    const Case cases[] = {
        {"clients(id)", "clients(id)"},
        {"clients()", "clients()"},
        {"*,clients(*,projects(id,tasks(*)))", "* clients(* projects(id tasks(*)))"},
        {"c:clients(id),name", "c=clients(id) name"},
        {"clients!inner(id)", "clients!INNER(id)"},
        {"clients!left(id)", "clients!LEFT(id)"},
        {"clients!fk_client(id)", "clients!fk_client(id)"},
        {"clients!fk!inner(id)", "clients!fk!INNER(id)"},
        {"clients!inner!fk(id)", "clients!fk!INNER(id)"},
        {"clients!leftover(id)", "clients!leftover(id)"},
        {"\"my clients\"!\"a fk\"(id)", "my clients!a fk(id)"},
        {"...clients(name)", "...clients(name)"},
        {"id,...clients!fk!inner(n:name,...boss(*))", "id ...clients!fk!INNER(n=name ...boss(*))"},
        {"a( id , name ) , b( c(*) )", "a(id name) b(c(*))"},
    };
    for (const auto& c : cases) EXPECT_EQ(show(parse_select(c.text)), c.shown) << c.text;
}

TEST(SelectParser, says_where_and_what_it_expected) {
    const Case cases[] = {
        {"data->(!@#$%^&*_d->>!@#$%^&*_e::integer",
         "(line 1, column 7) | unexpected \"(\" expecting \"-\", digit or any non reserved character different from: .,>()"},
        {"data->>--34", "(line 1, column 9) | unexpected \"-\" expecting digit"},
        {"data->>-xy-4", "(line 1, column 9) | unexpected \"x\" expecting digit"},
        {"data->>-78xy", "(line 1, column 11) | unexpected 'x' expecting digit, \"->\", \"::\", \".\", \",\" or end of input"},
        {"id,clients(name[])",
         "(line 1, column 16) | unexpected '[' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or "
         "end of input"},
        {"name::", "(line 1, column 7) | unexpected end of input expecting letter or digit"},
        {"id,",
         "(line 1, column 4) | unexpected end of input expecting \"...\", field name (* or [a..z0..9_$]), \"*\" or "
         "\"count()\""},
        {"é[",
         "(line 1, column 2) | unexpected '[' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" "
         "or end of input"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(show(parse_select(c.text)),
                  std::string("400 PGRST100 \"failed to parse select parameter (") + c.text + ")\" " + c.shown);
}

TEST(SelectParser, refuses_what_does_not_fit) {
    for (const char* text :
         {"(",     ")",          "id)",      "rel(id",       "rel(id))",   "rel(id)x",      "a,,b",     ",a",
          "a:",    ":a",         "a::",      "a->",          "a->>",       "\"open",        "a\"b\"",   "a.sum(",
          "a.sum", "a.median()", "...rel",   "x:...rel(id)", "rel!(id)",   "rel!a!b!c(id)", "*x",       "a;b",
          "a=b",   "count(",     "count()x", "a-",           "rel->x(id)", "rel( * )",      "\xF0\x9F("})
        EXPECT_FALSE(parse_select(text)) << text;
}

TEST(SelectParser, bounds_depth_and_number_of_items) {
    const auto nested = [](int depth) {
        std::string text;
        for (int i = 0; i < depth; ++i) text += "r(";
        return text + "id" + std::string(static_cast<std::size_t>(depth), ')');
    };
    EXPECT_TRUE(parse_select(nested(64)));
    EXPECT_EQ(parse_select(nested(65)).error().details, "embeds are nested too deep");
    std::string many = "c";
    for (int i = 1; i < 500; ++i) many += ",c";
    EXPECT_TRUE(parse_select(many));
    EXPECT_EQ(parse_select(many + ",c").error().details, "too many items");
    std::string path = "d";
    for (int i = 0; i < 65; ++i) path += "->a";
    EXPECT_EQ(parse_select(path).error().details, "the JSON path is too long");
}

}  // namespace
}  // namespace millrace::request
