// Functions as Postgres would have them and a version that shows them; and calls written as HTTP requests. Used by the tests of
// routes, plan, sql and reply.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::calls {

inline catalog::Column column(std::string name, std::string type, std::uint32_t oid) {
    catalog::Column out;
    out.name = std::move(name);
    out.type = std::move(type);
    out.type_oid = out.base_type_oid = oid;
    return out;
}
inline catalog::Column integer(std::string name) { return column(std::move(name), "integer", 23); }
inline catalog::Column words(std::string name) { return column(std::move(name), "text", 25); }

inline catalog::Parameter parameter(std::string name, std::string type, bool has_default = false) {
    catalog::Parameter out;
    out.name = std::move(name);
    out.type = std::move(type);
    out.has_default = has_default;
    return out;
}
inline catalog::Parameter variadic(std::string name, std::string type) {
    catalog::Parameter out = parameter(std::move(name), std::move(type));
    out.variadic = true;
    return out;
}

using Parameters = std::vector<catalog::Parameter>;

inline catalog::Function function(std::string name, Parameters parameters,
                                  catalog::Volatility volatility = catalog::Volatility::stable) {
    catalog::Function out;
    out.anonymous_may_execute = true;
    out.schema = "shop";
    out.name = std::move(name);
    out.parameters = std::move(parameters);
    out.volatility = volatility;
    out.return_type = "integer";
    out.result_columns = {integer(out.name)};
    return out;
}
inline catalog::Function set_of(catalog::Function out) {
    out.returns_set = true;
    return out;
}
inline catalog::Function rows_of_products(catalog::Function out) {
    out.result = catalog::ResultKind::composite;
    out.returns_set = true;
    out.result_relation = "shop.products";
    out.result_columns = {integer("id"), words("name"), integer("category_id")};
    return out;
}
inline catalog::Function with_result(catalog::Function out, catalog::ResultKind result,
                                     std::vector<catalog::Column> columns = {}) {
    out.result = result;
    out.result_columns = std::move(columns);
    return out;
}

inline catalog::Relation relation(std::string name, std::vector<catalog::Column> columns) {
    catalog::Relation out;
    out.schema = "shop";
    out.name = std::move(name);
    out.columns = std::move(columns);
    out.primary_key = {"id"};
    return out;
}

inline std::shared_ptr<const catalog::Catalog> shop() {
    using catalog::ResultKind;
    using catalog::Volatility;
    auto out = std::make_shared<catalog::Catalog>();
    out->relations = {relation("products", {integer("id"), words("name"), integer("category_id")}),
                      relation("categories", {integer("id"), words("name")})};
    out->foreign_keys = {{"p_category", "shop.products", "shop.categories", {{"category_id", "id"}}}};
    out->functions = {
        function("add", {parameter("a", "integer"), parameter("b", "integer")}),
        function("add", {parameter("a", "integer"), parameter("b", "integer"), parameter("c", "integer", true)}),
        function("area", {parameter("width", "integer")}),
        function("area", {parameter("radius", "integer"), parameter("precise", "boolean", true)}),
        rows_of_products(function("cheap_products", {parameter("below", "numeric", true)})),
        with_result(function("corner", {}), ResultKind::composite, {integer("x"), integer("y")}),
        function("greet", {parameter("name", "character"), variadic("others", "text[]")}),
        function("hidden_pair", {parameter("", "json"), parameter("", "json")}),
        set_of(function("numbers", {})),
        set_of(with_result(function("prices", {}), ResultKind::table, {integer("id"), integer("price")})),
        with_result(function("restock", {parameter("count", "integer")}, Volatility::is_volatile), ResultKind::is_void),
        function("sum_json", {parameter("", "json")}, Volatility::is_volatile),
        function("take_bytes", {parameter("", "bytea")}, Volatility::is_volatile),
        function("take_text", {parameter("", "text")}, Volatility::is_volatile),
        with_result(function("untyped", {}), ResultKind::record),
    };
    complete(*out);
    return out;
}

inline std::shared_ptr<const routes::ApiCatalog> version(const std::string& table, config::Settings settings = {}) {
    const auto parsed = routes::parse_route_table(table, "v1.json");
    const auto lens = routes::build_lens(parsed.table, shop(), settings);
    if (!lens.api) throw std::runtime_error(lens.problems.empty() ? "no lens" : lens.problems.front().message);
    return lens.api;
}

inline const routes::ApiCatalog& v1() {
    static const auto api = version(R"({"schema": "shop", "expose": "schema"})");
    return *api;
}

struct Sent {
    message::Method method = message::Method::get;
    std::string query{};
    std::string body{};
    std::string content_type{};
    std::string prefer{};
};
inline Sent post(std::string body, std::string content_type = {}) {
    return {message::Method::post, {}, std::move(body), std::move(content_type), {}};
}

inline Result<plan::Plan> call(const std::string& name, const Sent& sent, const routes::ApiCatalog& api = v1()) {
    message::Request request;
    request.method = sent.method;
    request.query = sent.query;
    if (!sent.content_type.empty()) request.headers.push_back({"Content-Type", sent.content_type});
    if (!sent.prefer.empty()) request.headers.push_back({"Prefer", sent.prefer});
    auto parsed = request::parse(request, true);
    if (!parsed) return std::move(parsed).error();
    request::Payload payload;
    if (!parsed->safe) {
        auto read = request::parse_payload(*parsed, sent.body);
        if (!read) return std::move(read).error();
        payload = *std::move(read);
    }
    const routes::ApiFunction none{name, {}, {}, {}};
    const routes::ApiFunction* function = api.find_function(name);
    return plan::make_call(*parsed, std::move(payload), api, function == nullptr ? none : *function);
}

}  // namespace millrace::calls
