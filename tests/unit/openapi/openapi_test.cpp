// OpenAPI 3.1: schemas of rows and writes, methods by privilege, lifecycle.
#include <gtest/gtest.h>

#include <set>

#include "fixture.hpp"

namespace millrace::openapi {
namespace {

const Json& all() {
    static const Json document = openapi_of(plain(), answer("___", "", "A library\n\nof books"));
    return document;
}

void collect_references(const Json& at, std::set<std::string>& out) {
    if (at.is_object() && at.contains("$ref")) out.insert(at["$ref"].get<std::string>());
    if (at.is_structured())
        for (const Json& each : at) collect_references(each, out);
}

TEST(OpenApi, every_reference_leads_somewhere) {
    for (const char* bits : {"___", "CCC", "EEE", "@_A", "QIC"}) {
        const Json document = openapi_of(plain(), answer(bits));
        std::set<std::string> references;
        collect_references(document, references);
        EXPECT_FALSE(references.empty());
        for (const std::string& reference : references)
            EXPECT_TRUE(document.contains(Json::json_pointer(reference.substr(1)))) << bits << ' ' << reference;
    }
}

TEST(OpenApi, rows_have_all_columns_and_writes_what_they_need) {
    const Json& schemas = all()["components"]["schemas"];
    EXPECT_EQ(schemas["books"]["required"].size(), 8U);
    EXPECT_EQ(schemas["books"]["properties"]["author_id"], Json::parse(R"({"type": ["integer", "null"], "format": "int32",
                              "x-references": {"resource": "authors", "column": "id"}})"));
    EXPECT_EQ(schemas["books"]["properties"]["mood"],
              Json::parse(R"({"type": ["string", "null"], "enum": ["sad", "ok", null], "default": "ok"})"));
    EXPECT_EQ(schemas["books"]["properties"]["tags"],
              Json::parse(R"({"type": ["array", "null"], "items": {"type": "string"}})"));
    EXPECT_EQ(schemas["books"]["properties"]["data"], Json::object());
    EXPECT_TRUE(schemas["books"]["properties"]["id"]["readOnly"]);
    EXPECT_EQ(schemas["books-insert"]["required"], Json::array({"title"}));
    EXPECT_FALSE(schemas["books-insert"]["properties"].contains("id"));
    EXPECT_FALSE(schemas["books-update"].contains("required"));
}

TEST(OpenApi, methods_are_those_that_privileges_and_route_leave) {
    const Json document = openapi_of(plain(), answer("C_C"));  // authors are only read
    EXPECT_TRUE(document["paths"]["/authors"].contains("get"));
    EXPECT_FALSE(document["paths"]["/authors"].contains("post"));
    EXPECT_FALSE(document["components"]["schemas"].contains("authors-insert"));
    EXPECT_TRUE(document["paths"]["/books"].contains("put"));
    EXPECT_FALSE(document["paths"]["/report"].contains("delete"));
    const Json restricted = openapi_of(renamed(), answer("__"));
    EXPECT_TRUE(restricted["paths"]["/works"].contains("post"));
    EXPECT_FALSE(restricted["paths"]["/works"].contains("patch"));
}

TEST(OpenApi, a_deprecated_version_says_so_everywhere) {
    const Json document = openapi_of(renamed(), answer("__"));
    EXPECT_TRUE(document["paths"]["/works"]["get"]["deprecated"]);
    EXPECT_EQ(document["info"]["x-sunset"], "Thu, 01 Jan 2099 00:00:00 GMT");
    EXPECT_TRUE(document["components"]["responses"]["works"]["headers"].contains("Sunset"));
    EXPECT_FALSE(all()["paths"]["/books"]["get"].contains("deprecated"));
}

TEST(OpenApi, hidden_columns_are_nowhere) {
    EXPECT_EQ(openapi_of(renamed(), answer("__")).dump().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace millrace::openapi
