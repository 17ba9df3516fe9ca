// Functions in both descriptions: arguments, methods by volatility, overloads, results.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace millrace::openapi {
namespace {

using catalog::Parameter;
using catalog::Volatility;

Parameter parameter(std::string name, std::string type, bool has_default = false, bool variadic = false) {
    Parameter out;
    out.name = std::move(name);
    out.type = std::move(type);
    out.has_default = has_default;
    out.variadic = variadic;
    return out;
}

catalog::Function function(std::vector<Parameter> parameters, Volatility volatility, std::string returns) {
    catalog::Function out;
    out.schema = "lib";
    out.name = "lend";
    out.comment = "Lends a book\n\nFor a month.";
    out.parameters = std::move(parameters);
    out.volatility = volatility;
    out.return_type = std::move(returns);
    return out;
}

// One version that shows nothing but these overloads of "lend".
struct Lending {
    explicit Lending(std::vector<catalog::Function> all) : functions(std::move(all)) {
        shown.name = "lend";
        shown.policies.methods = {message::Method::options, message::Method::get, message::Method::head, message::Method::post};
        for (const catalog::Function& each : functions) shown.overloads.emplace_back().function = &each;
        GrantedFunction granted{&shown, {}};
        for (const routes::Overload& overload : shown.overloads) granted.overloads.push_back(&overload);
        description.api = api.get();
        description.grants.functions = {granted};
    }
    [[nodiscard]] Json swagger() const { return Json::parse(write_swagger(description))["paths"]["/rpc/lend"]; }
    [[nodiscard]] Json openapi() const { return Json::parse(write_openapi(description))["paths"]["/rpc/lend"]; }

    std::vector<catalog::Function> functions;
    std::shared_ptr<const routes::ApiCatalog> api = plain();
    routes::ApiFunction shown;
    Description description;
};

TEST(Functions, only_those_that_change_nothing_have_get) {
    for (const Volatility volatility : {Volatility::immutable, Volatility::stable, Volatility::is_volatile}) {
        const Lending lending({function({}, volatility, "integer")});
        const bool reads = volatility != Volatility::is_volatile;
        EXPECT_EQ(lending.swagger().contains("get"), reads);
        EXPECT_EQ(lending.openapi().contains("get"), reads);
        EXPECT_TRUE(lending.swagger().contains("post") && lending.openapi().contains("post"));
    }
}

TEST(Functions, arguments_have_types_and_are_required_without_default) {
    const Lending lending({function({parameter("book", "bigint"), parameter("mood", "lib.mood", true),
                                     parameter("to", "text[]", false, true), parameter("data", "json", true)},
                                    Volatility::stable, "integer")});
    const Json swagger = lending.swagger();
    const Json& body = swagger["post"]["parameters"][0]["schema"];
    EXPECT_EQ(swagger["post"]["summary"], "Lends a book");
    EXPECT_EQ(swagger["post"]["tags"], Json::array({"(rpc) lend"}));
    EXPECT_EQ(body["required"], Json::array({"book", "to"}));
    EXPECT_EQ(body["properties"]["book"], Json::parse(R"({"format": "int64", "type": "integer"})"));
    EXPECT_EQ(body["properties"]["mood"]["format"], "mood");
    EXPECT_EQ(body["properties"]["data"], Json::parse(R"({"format": "json"})"));
    EXPECT_EQ(swagger["get"]["parameters"][2],
              Json::parse(R"({"name": "to", "required": true, "in": "query", "type": "array", "collectionFormat": "multi",
                              "items": {"type": "string", "format": "text"}})"));
    EXPECT_EQ(swagger["get"]["parameters"][3]["type"], "string");

    const Json openapi = lending.openapi();
    const Json& schema = openapi["post"]["requestBody"]["content"]["application/json"]["schema"];
    EXPECT_EQ(schema["required"], Json::array({"book", "to"}));
    EXPECT_EQ(schema["properties"]["to"], Json::parse(R"({"type": "array", "items": {"type": "string"}})"));
    EXPECT_EQ(openapi["get"]["parameters"][0]["schema"], Json::parse(R"({"type": "integer", "format": "int64"})"));
}

TEST(Functions, one_without_arguments_asks_for_none) {
    const Json swagger = Lending({function({}, Volatility::stable, "integer")}).swagger();
    EXPECT_FALSE(swagger["post"]["parameters"][0]["schema"].contains("required"));
    EXPECT_FALSE(swagger["get"].contains("parameters"));
}

TEST(Functions, overloads_are_told_apart_by_the_body) {
    const Json openapi = Lending({function({parameter("a", "integer")}, Volatility::stable, "integer"),
                                  function({parameter("a", "integer"), parameter("b", "text")}, Volatility::stable, "integer")})
                             .openapi();
    EXPECT_EQ(openapi["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"].size(), 2U);
}

TEST(Functions, a_single_unnamed_parameter_is_the_body) {
    const Json openapi = Lending({function({parameter("", "bytea")}, Volatility::stable, "bytea")}).openapi();
    EXPECT_FALSE(openapi.contains("get"));
    EXPECT_TRUE(openapi["post"]["requestBody"]["content"].contains("application/octet-stream"));
}

TEST(Functions, results_are_values_rows_or_nothing) {
    catalog::Function none = function({}, Volatility::is_volatile, "void");
    none.result = catalog::ResultKind::is_void;
    EXPECT_TRUE(Lending({none}).openapi()["post"]["responses"].contains("204"));
    catalog::Function many = function({}, Volatility::stable, "integer");
    many.returns_set = true;
    EXPECT_EQ(Lending({many}).openapi()["get"]["responses"]["200"]["content"]["application/json"]["schema"],
              Json::parse(R"({"type": "array", "items": {"type": "integer", "format": "int32"}})"));

    Lending rows({many});
    rows.shown.overloads[0].rows = rows.api->find("authors");
    const std::string at = "/get/responses/200/content/application~1json/schema/items/";
    EXPECT_TRUE(rows.openapi().contains(Json::json_pointer(at + "properties/name")));
    rows.description.grants.resources = {{rows.api->find("authors")}};
    EXPECT_EQ(rows.openapi()[Json::json_pointer(at + "$ref")], "#/components/schemas/authors");
}

}  // namespace
}  // namespace millrace::openapi
