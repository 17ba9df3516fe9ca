// What a route allows: complexity, columns and operators of filters, the size and the cost of an answer.
#include <gmock/gmock.h>

#include "world.hpp"

namespace millrace::pipeline {
namespace {

constexpr auto get = message::Method::get, patch = message::Method::patch, del = message::Method::del;

std::string code_of(World& world, message::Method method, std::string_view target) {
    const auto made = world.try_work(method, target);
    return made ? "" : made.error().code;
}

// The version's defaults are read from JSON, as an owner writes them.
World with_defaults(const std::string& defaults) {
    World world;
    for (const char* schema : {"public", "other"}) {
        const std::string text = R"({"version": "v1", "schema": ")" + std::string(schema) +
                                 R"(", "expose": "schema", "defaults": )" + defaults + "}";
        auto parsed = routes::parse_route_table(text, "v1.json");
        EXPECT_TRUE(parsed.problems.empty()) << config::to_line(parsed.problems.front());
        world.snapshot->versions.push_back(routes::build_lens(parsed.table, world.catalog, world.settings).api);
    }
    return world;
}

TEST(Allowed, conditions_are_counted_inside_and_and_or_too) {
    World world = with_defaults(R"({"filters_max": 3})");
    EXPECT_EQ(code_of(world, get, "/v1/notes?id=gt.1&or=(text.eq.a,text.eq.b)"), "");
    EXPECT_EQ(code_of(world, get, "/v1/notes?id=gt.1&or=(text.eq.a,and(text.eq.b,id.lt.9))"), "MR027");
    EXPECT_EQ(code_of(world, del, "/v1/notes?id=gt.1&id=lt.4&text=eq.a&text=neq.b"), "MR027");
}

TEST(Allowed, embeds_and_their_depth_are_counted_before_names_are_looked_up) {
    World world = with_defaults(R"({"embeds_max": 2, "select_depth_max": 1})");
    EXPECT_EQ(code_of(world, get, "/v1/notes?select=id,a(id),b(id),c(id)"), "MR027");
    EXPECT_EQ(code_of(world, get, "/v1/notes?select=id,a(id,b(id))"), "MR027");
    EXPECT_EQ(code_of(world, get, "/v1/notes?select=id,a(id)"), "PGRST200");
}

TEST(Allowed, filters_and_orders_use_the_columns_that_the_route_names) {
    World world = with_defaults(R"({"filter_columns": ["id"]})");
    for (const char* fine : {"/v1/notes?id=eq.1", "/v1/notes?order=id.desc&select=text", "/v1/notes?not.or=(id.eq.1,id.eq.2)"})
        EXPECT_EQ(code_of(world, get, fine), "") << fine;
    for (const char* refused : {"/v1/notes?text=eq.a", "/v1/notes?order=text", "/v1/notes?or=(id.eq.1,text.eq.a)"})
        EXPECT_EQ(code_of(world, get, refused), "MR033") << refused;
    EXPECT_EQ(code_of(world, patch, "/v1/notes?text=eq.a"), "MR033");
}

TEST(Allowed, filters_use_the_operators_that_the_route_names) {
    World world = with_defaults(R"({"filter_operators": ["eq", "in"]})");
    EXPECT_EQ(code_of(world, get, "/v1/notes?id=in.(1,2)&text=not.eq.a"), "");
    const auto refused = world.try_work(get, "/v1/notes?text=like.*a*");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "MR033");
    EXPECT_EQ(refused.error().hint, "It allows the operators eq, in");
}

TEST(Allowed, a_route_table_is_told_of_operators_and_columns_that_are_none) {
    auto parsed = routes::parse_route_table(
        R"({"version": "v1", "resources": {"notes": {"filter_operators": ["equals"], "filter_columns": ["nothing"]}}})",
        "v1.json");
    ASSERT_EQ(parsed.problems.size(), 1U);
    EXPECT_EQ(parsed.problems[0].path, "/resources/notes/filter_operators/0");
    World world;
    const auto lens = routes::build_lens(parsed.table, world.catalog, world.settings);
    ASSERT_EQ(lens.problems.size(), 1U);
    EXPECT_EQ(lens.problems[0].path, "/resources/notes/filter_columns/0");
}

sql::Rows one_cell(std::string_view text) {
    sql::Rows rows;
    rows.columns = 1;
    rows.cells = {text};
    return rows;
}

TEST(Allowed, a_read_with_a_limit_of_cost_brings_its_estimate) {
    EXPECT_FALSE(World().work(get, "/v1/notes")->estimate);
    World world = with_defaults(R"({"cost_max": 100})");
    EXPECT_FALSE(world.work(patch, "/v1/notes?id=eq.1")->estimate);
    const auto work = world.work(get, "/v1/notes?id=eq.1");
    ASSERT_TRUE(work->estimate);
    EXPECT_THAT(work->estimate->statements[work->estimate->main].text, testing::HasSubstr("EXPLAIN"));
    const sql::Results plan(work->estimate->statements.size(), one_cell(R"([{"Plan": {"Total Cost": 100.6}}])"));
    EXPECT_EQ(estimated_cost(*work, plan), 100.6);
    EXPECT_EQ(estimated_cost(*work, sql::Results(work->estimate->statements.size(), one_cell("no plan"))), std::nullopt);
    EXPECT_TRUE(check_cost(*work, 100.0));
    EXPECT_EQ(check_cost(*work, 100.6).error().code, "MR028");
}

TEST(Allowed, an_answer_that_is_too_long_is_refused_and_a_writes_is_not) {
    World world = with_defaults(R"({"answer_bytes_max": 30})");
    const auto read = world.work(get, "/v1/notes?select=text");
    const auto rows = [](const Work& work, std::string_view text) {
        sql::Results results(work.script.statements.size());
        results[work.script.main] = one_cell(text);
        if (work.script.has_snapshot) {
            results[work.script.main].columns = 2;
            results[work.script.main].cells.emplace_back("1:1:");
        }
        return results;
    };
    EXPECT_TRUE(finish(*read, rows(*read, "short")));
    const auto refused = finish(*read, rows(*read, "much longer than thirty bytes are"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "MR029");
}

}  // namespace
}  // namespace millrace::pipeline
