// What lies behind a relation: through views, policies and partitions; and what a stored query tells.
#include <gtest/gtest.h>

#include <millrace/core/catalog.hpp>

namespace millrace::catalog {
namespace {

using Names = std::vector<std::string>;

struct World {
    Catalog catalog;
    std::vector<RelationFacts> facts;
    std::vector<ProcedureFacts> procedures;

    // Oids count from 20000 in the order of the calls.
    RelationFacts& add(std::string name, RelationKind kind) {
        Relation relation;
        relation.schema = "s";
        relation.name = std::move(name);
        relation.kind = kind;
        relation.columns = {{.name = "a", .position = 1}, {.name = "b", .position = 2}};
        catalog.relations.push_back(std::move(relation));
        facts.emplace_back();
        facts.back().oid = oid(facts.size() - 1);
        return facts.back();
    }
    static std::uint32_t oid(std::size_t index) { return static_cast<std::uint32_t>(20000 + index); }
    void settle() { settle_dependencies(catalog, facts, procedures); }
    [[nodiscard]] const Relation& operator[](std::size_t index) const { return catalog.relations[index]; }
};

}  // namespace

TEST(Dependencies, chains_of_views_end_at_tables) {
    World world;
    world.add("orders", RelationKind::table);
    world.add("items", RelationKind::table);
    world.add("inner", RelationKind::view).reads = {World::oid(0), World::oid(1)};
    world.add("outer", RelationKind::view).reads = {World::oid(2), 999999};
    world.facts[2].query.outputs = {{1, World::oid(0), 2}};
    world.facts[3].query.outputs = {{2, World::oid(2), 1}};
    world.settle();
    EXPECT_EQ(world[0].base_tables, (Names{"s.orders"}));
    EXPECT_EQ(world[3].base_tables, (Names{"s.items", "s.orders"}));
    ASSERT_TRUE(world[3].columns[1].origin);
    EXPECT_EQ(world[3].columns[1].origin->relation, "s.orders");
    EXPECT_EQ(world[3].columns[1].origin->column, "b");
    EXPECT_FALSE(world[3].columns[0].origin);
    EXPECT_FALSE(world[0].columns[0].origin);
}

TEST(Dependencies, policies_add_the_tables_that_they_read) {
    World world;
    world.add("orders", RelationKind::table).row_security = true;
    world.facts[0].policy_reads = {World::oid(1)};
    world.add("members", RelationKind::table).policy_reads = {World::oid(0)};  // without row security they do not apply
    world.add("v", RelationKind::view).reads = {World::oid(0)};
    world.settle();
    EXPECT_EQ(world[2].base_tables, (Names{"s.members", "s.orders"}));
    EXPECT_TRUE(world[2].row_security);
    EXPECT_FALSE(world[1].row_security);
    EXPECT_EQ(world[1].base_tables, (Names{"s.members"}));
}

TEST(Dependencies, a_partition_depends_on_its_parents_too) {
    World world;
    world.add("root", RelationKind::partitioned_table).children = {World::oid(1)};
    world.add("middle", RelationKind::partitioned_table).parents = {World::oid(0)};
    world.facts[1].children = {World::oid(2)};
    world.add("leaf", RelationKind::table).parents = {World::oid(1)};
    world.facts[0].watched = world.facts[1].watched = true;
    world.settle();
    EXPECT_EQ(world[0].base_tables, (Names{"s.root"}));
    EXPECT_EQ(world[2].base_tables, (Names{"s.leaf", "s.middle", "s.root"}));
    EXPECT_FALSE(world[0].watched) << "a direct write to the leaf would not be told";
    world.facts[2].watched = true;
    world.settle();
    EXPECT_TRUE(world[0].watched);
}

TEST(Dependencies, a_materialized_view_is_a_table_of_its_own_that_no_trigger_tells_of) {
    World world;
    world.add("t", RelationKind::table);
    world.add("m", RelationKind::materialized_view).reads = {World::oid(0)};
    world.add("over", RelationKind::view).reads = {World::oid(1)};
    world.settle();
    for (const std::size_t i : {1, 2}) {
        EXPECT_EQ(world[i].base_tables, (Names{"s.m"})) << "what it was made of is no longer looked at";
        EXPECT_TRUE(world[i].reads_materialized);
        EXPECT_TRUE(world[i].watched);
        EXPECT_FALSE(world[i].is_volatile);
    }
    EXPECT_FALSE(world[0].reads_materialized);
}

TEST(Dependencies, what_tags_cannot_see_is_volatile) {
    World world;
    world.procedures = {{100, "random", Volatility::is_volatile}, {101, "now", Volatility::stable},
                        {102, "to_char", Volatility::stable},     {103, "current_setting", Volatility::stable},
                        {30000, "mine", Volatility::stable},      {30001, "pure", Volatility::immutable}};
    world.add("t", RelationKind::table);
    world.add("m", RelationKind::materialized_view).reads = {World::oid(0)};
    world.add("f", RelationKind::foreign_table);
    struct Case {
        std::uint32_t function;
        bool is_volatile, reads_session;
    };
    const std::vector<Case> cases{{100, true, false}, {101, true, false},  {102, false, false},
                                  {103, false, true}, {30000, true, true}, {30001, false, false}};
    for (const Case& c : cases) world.add("v", RelationKind::view).query.functions = {c.function};
    world.add("over_m", RelationKind::view).reads = {World::oid(1)};
    world.add("partly", RelationKind::partitioned_table).children = {World::oid(2)};
    world.settle();
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(world[3 + i].is_volatile, cases[i].is_volatile) << cases[i].function;
        EXPECT_EQ(world[3 + i].reads_session, cases[i].reads_session) << cases[i].function;
    }
    EXPECT_FALSE(world[0].is_volatile);
    EXPECT_EQ(world[1].base_tables, (Names{"s.m"}));
    EXPECT_TRUE(world[2].is_volatile);
    EXPECT_TRUE(world[10].is_volatile) << "a partition elsewhere";
}

TEST(QueryTree, only_the_outermost_targets_are_outputs) {
    const auto facts = read_query_tree(
        R"(({QUERY :commandType 1 :rtable ({RANGETBLENTRY :alias <> :relid 16400 :subquery {QUERY :targetList ({TARGETENTRY )"
        R"(:expr {VAR :varno 1} :resno 1 :resname x :resorigtbl 16999 :resorigcol 7 :resjunk false})}}) :targetList ({TARGETENTRY )"
        R"(:expr {VAR :varno 1 :varattno 1} :resno 1 :resname a\ :resorigtbl\ 5\} :resorigtbl 16400 :resorigcol 2 :resjunk false} )"
        R"({TARGETENTRY :expr {FUNCEXPR :funcid 1299 :args ({OPEXPR :opno 96 :opfuncid 65})} :resno 2 :resname b :resorigtbl 0 )"
        R"(:resorigcol 0 :resjunk false})}))");
    ASSERT_EQ(facts.outputs.size(), 1U);
    EXPECT_EQ(facts.outputs[0].position, 1);
    EXPECT_EQ(facts.outputs[0].relation_oid, 16400U);
    EXPECT_EQ(facts.outputs[0].column, 2);
    EXPECT_EQ(facts.functions, (std::vector<std::uint32_t>{65, 1299}));
    EXPECT_FALSE(facts.reads_clock || facts.reads_role || facts.reads_system);
}

TEST(QueryTree, sees_the_clock_the_role_and_the_system) {
    EXPECT_TRUE(read_query_tree("({QUERY :e {SQLVALUEFUNCTION :op 3 :type 1184}})").reads_clock);
    EXPECT_TRUE(read_query_tree("({QUERY :e {SQLVALUEFUNCTION :op 10 :type 19}})").reads_role);
    EXPECT_TRUE(read_query_tree("({QUERY :r ({RANGETBLENTRY :relid 1259})})").reads_system);
    EXPECT_TRUE(read_query_tree("({QUERY :r ({RANGETBLENTRY :t {TABLESAMPLECLAUSE :tsmhandler 3313}})})").reads_clock);
}

TEST(QueryTree, any_bytes_are_survived) {
    for (const char* text : {"", "{", "}}}}", "\\", "{QUERY {TARGETENTRY :resno", "({QUERY :funcid", ":::: {  { \\"})
        EXPECT_TRUE(read_query_tree(text).outputs.empty()) << text;
}

}  // namespace millrace::catalog
