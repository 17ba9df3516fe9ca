// OpenAPI 2.0: what PostgREST's clients look for in it.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace millrace::openapi {
namespace {

const Json& all() {
    static const Json document = swagger_of(plain(), answer("___", "", "A library\n\nof books"));
    return document;
}

TEST(Swagger, says_what_and_where_it_is) {
    EXPECT_EQ(all()["swagger"], "2.0");
    EXPECT_EQ(all()["info"]["title"], "A library");
    EXPECT_EQ(all()["info"]["description"], "of books");
    EXPECT_EQ(all()["host"], "localhost:3000");
    EXPECT_EQ(all()["basePath"], "/v1");
    EXPECT_EQ(all()["schemes"], Json::array({"http"}));
    EXPECT_FALSE(all().contains("security"));
    const Json secured = swagger_of(plain(), answer("___"), {.security = true});
    EXPECT_EQ(secured["security"], Json::parse(R"([{"JWT": []}])"));
    EXPECT_EQ(secured["securityDefinitions"]["JWT"]["in"], "header");
}

TEST(Swagger, defines_columns_by_type_key_and_default) {
    const Json& books = all()["definitions"]["books"];
    EXPECT_EQ(books["required"], Json::array({"id", "title", "price"}));
    const Json& columns = books["properties"];
    EXPECT_EQ(columns["id"], Json::parse(R"({"description": "Note:\nThis is a Primary Key.<pk/>", "format": "int64",
                                             "type": "integer"})"));
    EXPECT_EQ(columns["title"], Json::parse(R"({"description": "As on the cover", "maxLength": 40,
                                                "format": "character varying", "type": "string"})"));
    EXPECT_EQ(columns["author_id"]["description"],
              "Note:\nThis is a Foreign Key to `authors.id`.<fk table='authors' column='id'/>");
    EXPECT_EQ(columns["mood"],
              Json::parse(R"({"default": "ok", "enum": ["sad", "ok"], "format": "lib.mood", "type": "string"})"));
    EXPECT_EQ(columns["tags"], Json::parse(R"({"format": "text[]", "type": "array", "items": {"type": "string"}})"));
    EXPECT_EQ(columns["data"], Json::parse(R"({"format": "jsonb"})"));
    EXPECT_EQ(columns["price"], Json::parse(R"({"default": 0.5, "format": "numeric", "type": "number"})"));
    EXPECT_EQ(all()["definitions"]["report"]["properties"]["total"]["format"], "numeric");
}

TEST(Swagger, has_paths_for_what_can_be_done) {
    const Json& books = all()["paths"]["/books"];
    EXPECT_EQ(books["get"]["summary"], "Books that are lent");
    EXPECT_EQ(books["get"]["description"], "No journals.");
    EXPECT_EQ(books["get"]["parameters"][0]["$ref"], "#/parameters/rowFilter.books.id");
    EXPECT_TRUE(all()["parameters"].contains("rowFilter.books.id"));
    EXPECT_TRUE(books.contains("post") && books.contains("patch") && books.contains("delete"));
    EXPECT_FALSE(all()["paths"]["/report"].contains("post"));
    EXPECT_TRUE(all()["paths"].contains("/"));
}

TEST(Swagger, leaves_out_what_is_not_granted) {
    const Json document = swagger_of(plain(), answer("_@@"));
    EXPECT_TRUE(document["paths"].contains("/authors"));
    EXPECT_FALSE(document.dump().find("books") != std::string::npos);
}

TEST(Swagger, speaks_the_names_of_the_version) {
    const Json document = swagger_of(renamed(), answer("__"));
    const Json& columns = document["definitions"]["works"]["properties"];
    EXPECT_TRUE(columns.contains("name"));
    EXPECT_FALSE(columns.contains("title") || columns.contains("secret"));
    EXPECT_EQ(columns["writer"]["description"],
              "Note:\nThis is a Foreign Key to `writers.key`.<fk table='writers' column='key'/>");
    EXPECT_FALSE(document["paths"].contains("/books"));
    EXPECT_TRUE(document["paths"]["/works"].contains("post"));
    EXPECT_FALSE(document["paths"]["/works"].contains("delete"));
}

}  // namespace
}  // namespace millrace::openapi
