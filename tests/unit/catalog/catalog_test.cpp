// Names, tags and look-ups of the catalog.
#include <gtest/gtest.h>

#include <millrace/core/catalog.hpp>

namespace millrace::catalog {
namespace {

Relation table(std::string schema, std::string name) {
    Relation relation;
    relation.schema = std::move(schema);
    relation.name = std::move(name);
    return relation;
}

}  // namespace

TEST(Tag, is_readable_for_usual_names_and_unique_for_all) {
    EXPECT_EQ(tag_of("public", "orders"), "public.orders");
    EXPECT_EQ(tag_of("public", "größe"), "public.größe");
    EXPECT_EQ(tag_of("my schema", "100%.#1"), "my%20schema.100%25%2E%231");
    EXPECT_NE(tag_of("a.b", "c"), tag_of("a", "b.c"));
}

TEST(Tag, is_read_back) {
    const auto name = parse_tag(tag_of("a.b", "c d#%"));
    ASSERT_TRUE(name);
    EXPECT_EQ(name->schema, "a.b");
    EXPECT_EQ(name->name, "c d#%");
    EXPECT_FALSE(parse_tag("no dot"));
    EXPECT_FALSE(parse_tag("bad.%zz"));
}

TEST(Catalog, finds_relations_with_and_without_its_index) {
    Catalog catalog;
    for (int i = 0; i < 500; ++i) catalog.relations.push_back(table("public", "t" + std::to_string(i)));
    catalog.relations.push_back(table("a.b", "c"));
    catalog.relations.push_back(table("a", "b.c"));
    for (const bool indexed : {false, true}) {
        if (indexed) complete(catalog);
        for (const Relation& relation : catalog.relations) {
            EXPECT_EQ(catalog.find(relation.schema, relation.name), &relation);
            EXPECT_EQ(catalog.find_id(relation.id()), &relation);
        }
        EXPECT_EQ(catalog.find("public", "t500"), nullptr);
        EXPECT_EQ(catalog.find_id("public"), nullptr);
        EXPECT_EQ(catalog.find_id("a%2.b"), nullptr);
    }
    EXPECT_FALSE(catalog.slots.empty());
}

TEST(Catalog, looks_at_each_relation_when_its_index_is_too_small) {
    Catalog catalog;
    complete(catalog);
    catalog.relations.push_back(table("public", "late"));
    EXPECT_NE(catalog.find("public", "late"), nullptr);
}

TEST(Catalog, fingerprint_tells_every_difference) {
    Catalog a;
    a.relations.push_back(table("public", "orders"));
    a.relations[0].columns.push_back({.name = "id"});
    complete(a);
    Catalog b = a;
    complete(b);
    EXPECT_EQ(a.fingerprint, b.fingerprint);
    b.relations[0].columns[0].nullable = false;
    EXPECT_NE(fingerprint_of(b), a.fingerprint);
    Catalog c = a;
    c.relations[0].anonymous.select = true;
    EXPECT_NE(fingerprint_of(c), a.fingerprint);
    Catalog d = a;  // the same bytes, cut elsewhere
    d.relations[0].schema = "publi";
    d.relations[0].name = "corders";
    EXPECT_NE(fingerprint_of(d), a.fingerprint);
}

TEST(Catalog, a_view_has_the_keys_that_it_shows_whole) {
    Catalog catalog;
    catalog.relations = {table("public", "lines"), table("public", "v"), table("public", "half")};
    catalog.relations[0].columns = {{.name = "order_id"}, {.name = "no"}};
    catalog.relations[0].primary_key = {"order_id", "no"};
    for (std::size_t view : {1, 2}) catalog.relations[view].kind = RelationKind::view;
    catalog.relations[1].columns = {{.name = "n", .origin = Origin{"public.lines", "no"}},
                                    {.name = "o", .origin = Origin{"public.lines", "order_id"}}};
    catalog.relations[2].columns = {{.name = "no", .origin = Origin{"public.lines", "no"}}};
    complete(catalog);
    EXPECT_EQ(catalog.relations[1].key(), (std::vector<std::string>{"o", "n"}));
    EXPECT_TRUE(catalog.relations[2].key().empty());
}

}  // namespace millrace::catalog
