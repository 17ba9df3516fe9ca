// Relationships derived from foreign keys, as a small schema of each kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <millrace/core/catalog.hpp>

namespace millrace::catalog {
namespace {

Relation table(std::string name, std::vector<std::string> columns, std::vector<std::string> key) {
    Relation relation;
    relation.schema = "public";
    relation.name = std::move(name);
    for (std::string& column : columns) relation.columns.push_back({.name = std::move(column)});
    relation.primary_key = std::move(key);
    return relation;
}

// Columns "shown=theirs" of a table.
Relation view(std::string name, const std::string& of, const std::vector<std::pair<std::string, std::string>>& columns) {
    Relation relation = table(std::move(name), {}, {});
    relation.kind = RelationKind::view;
    for (const auto& [shown, theirs] : columns)
        relation.columns.push_back({.name = shown, .origin = Origin{"public." + of, theirs}});
    return relation;
}

ForeignKey key(std::string name, const std::string& from, std::vector<ColumnPair> columns, const std::string& to) {
    return {std::move(name), "public." + from, "public." + to, std::move(columns)};
}

std::vector<Relationship> between(const std::vector<Relationship>& all, const std::string& a, const std::string& b) {
    std::vector<Relationship> found;
    std::ranges::copy_if(all, std::back_inserter(found),
                         [&](const Relationship& r) { return r.source == "public." + a && r.target == "public." + b; });
    return found;
}

}  // namespace

TEST(Relationships, a_foreign_key_is_read_both_ways) {
    const auto all = derive_relationships({table("films", {"id", "director_id"}, {"id"}), table("directors", {"id"}, {"id"})},
                                          {key("fk", "films", {{"director_id", "id"}}, "directors")});
    ASSERT_EQ(all.size(), 2U);
    const auto out = between(all, "films", "directors"), back = between(all, "directors", "films");
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].cardinality, Cardinality::many_to_one);
    EXPECT_EQ(out[0].constraint, "fk");
    EXPECT_EQ(out[0].columns[0].from, "director_id");
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back[0].cardinality, Cardinality::one_to_many);
    EXPECT_EQ(back[0].columns[0].from, "id");
    EXPECT_EQ(back[0].columns[0].to, "director_id");
}

TEST(Relationships, unique_referencing_columns_make_it_one_to_one) {
    Relation by_unique = table("badges", {"id", "a", "b"}, {"id"});
    by_unique.unique_keys = {{"b", "a"}};
    const std::vector<Relation> relations{table("films", {"x", "y"}, {"x", "y"}), by_unique,
                                          table("specs", {"film_x", "film_y"}, {"film_x", "film_y"})};
    const auto all = derive_relationships(relations, {key("f1", "badges", {{"a", "x"}, {"b", "y"}}, "films"),
                                                      key("f2", "specs", {{"film_x", "x"}, {"film_y", "y"}}, "films")});
    for (const char* name : {"badges", "specs"}) {
        ASSERT_EQ(between(all, name, "films").size(), 1U) << name;
        EXPECT_EQ(between(all, name, "films")[0].cardinality, Cardinality::one_to_one_out);
        EXPECT_EQ(between(all, "films", name)[0].cardinality, Cardinality::one_to_one_in);
    }
}

TEST(Relationships, a_key_of_two_foreign_keys_joins_many_to_many) {
    const std::vector<Relation> relations{table("films", {"id"}, {"id"}), table("actors", {"id"}, {"id"}),
                                          table("roles", {"film", "actor", "n"}, {"n", "film", "actor"}),
                                          table("votes", {"id", "film", "actor"}, {"id"})};
    const auto all = derive_relationships(
        relations, {key("rf", "roles", {{"film", "id"}}, "films"), key("ra", "roles", {{"actor", "id"}}, "actors"),
                    key("vf", "votes", {{"film", "id"}}, "films"), key("va", "votes", {{"actor", "id"}}, "actors")});
    const auto ways = between(all, "films", "actors");
    ASSERT_EQ(ways.size(), 1U);
    EXPECT_EQ(ways[0].cardinality, Cardinality::many_to_many);
    ASSERT_TRUE(ways[0].junction);
    EXPECT_EQ(ways[0].junction->name, "roles");
    EXPECT_EQ(ways[0].junction->first_constraint, "rf");
    EXPECT_EQ(ways[0].junction->second_constraint, "ra");
    EXPECT_EQ(ways[0].junction->from_source[0].from, "id");
    EXPECT_EQ(ways[0].junction->from_source[0].to, "film");
    EXPECT_EQ(ways[0].junction->to_target[0].from, "actor");
    EXPECT_EQ(between(all, "actors", "films").size(), 1U);
}

TEST(Relationships, a_table_may_refer_to_itself) {
    const auto all =
        derive_relationships({table("staff", {"id", "boss"}, {"id"})}, {key("boss_fk", "staff", {{"boss", "id"}}, "staff")});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].self);
    EXPECT_EQ(all[0].cardinality, Cardinality::many_to_one);
    EXPECT_EQ(all[1].cardinality, Cardinality::one_to_many);
}

TEST(Relationships, views_carry_the_foreign_keys_of_the_columns_they_show) {
    const std::vector<Relation> relations{table("films", {"id", "director_id"}, {"id"}), table("directors", {"id"}, {"id"}),
                                          view("shown", "films", {{"key", "id"}, {"by", "director_id"}}),
                                          view("people", "directors", {{"who", "id"}}), view("bare", "films", {{"id", "id"}})};
    const auto all = derive_relationships(relations, {key("fk", "films", {{"director_id", "id"}}, "directors")});
    ASSERT_EQ(between(all, "shown", "people").size(), 1U);
    EXPECT_EQ(between(all, "shown", "people")[0].columns[0].from, "by");
    EXPECT_EQ(between(all, "shown", "people")[0].columns[0].to, "who");
    EXPECT_EQ(between(all, "shown", "directors").size(), 1U);
    EXPECT_EQ(between(all, "films", "people").size(), 1U);
    EXPECT_EQ(between(all, "people", "shown").size(), 1U);
    EXPECT_TRUE(between(all, "bare", "directors").empty());
}

TEST(Relationships, a_column_shown_twice_gives_two_ways) {
    const std::vector<Relation> relations{table("films", {"id", "d"}, {"id"}), table("directors", {"id"}, {"id"}),
                                          view("twice", "films", {{"d1", "d"}, {"d2", "d"}})};
    const auto all = derive_relationships(relations, {key("fk", "films", {{"d", "id"}}, "directors")});
    EXPECT_EQ(between(all, "twice", "directors").size(), 2U);
}

TEST(Relationships, keys_to_unknown_relations_are_left_out) {
    EXPECT_TRUE(
        derive_relationships({table("films", {"id", "d"}, {"id"})}, {key("fk", "films", {{"d", "id"}}, "gone")}).empty());
}

}  // namespace millrace::catalog
