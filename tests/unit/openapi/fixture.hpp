// A small library as a version shows it under other names, and its descriptions read back.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "millrace/core/openapi.hpp"

namespace millrace::openapi {

using Json = nlohmann::json;

inline catalog::Column column(std::string name, std::string type, std::uint32_t oid, bool nullable = true) {
    catalog::Column out;
    out.name = std::move(name);
    out.type = std::move(type);
    out.type_oid = out.base_type_oid = oid;
    out.nullable = nullable;
    return out;
}

inline catalog::Relation relation(std::string name, std::vector<catalog::Column> columns, std::vector<std::string> key) {
    catalog::Relation out;
    out.schema = "lib";
    out.name = std::move(name);
    out.columns = std::move(columns);
    out.primary_key = std::move(key);
    return out;
}

// Books of authors, and a report that nobody writes.
inline std::shared_ptr<const catalog::Catalog> library() {
    auto out = std::make_shared<catalog::Catalog>();
    catalog::Relation books =
        relation("books",
                 {column("id", "bigint", 20, false), column("title", "character varying(40)", 1043, false),
                  column("author_id", "integer", 23), column("mood", "lib.mood", 16500), column("tags", "text[]", 1009),
                  column("data", "jsonb", 3802), column("price", "lib.money", 16501, false), column("secret", "text", 25)},
                 {"id"});
    books.comment = "Books that are lent\n\nNo journals.";
    books.columns[0].generated = true;
    books.columns[0].has_default = true;
    books.columns[1].length_max = 40;
    books.columns[1].comment = "As on the cover";
    books.columns[3].enum_values = {"sad", "ok"};
    books.columns[3].default_expression = "'ok'::lib.mood";
    books.columns[3].has_default = true;
    books.columns[6].base_type_oid = 1700;
    books.columns[6].default_expression = "0.5";
    books.columns[6].has_default = true;
    catalog::Relation authors = relation("authors", {column("id", "integer", 23, false), column("name", "text", 25)}, {"id"});
    catalog::Relation report = relation("report", {column("total", "numeric(10,2)", 1700)}, {});
    report.kind = catalog::RelationKind::view;
    report.insertable = report.updatable = report.deletable = false;
    out->relations = {authors, books, report};
    out->foreign_keys = {{"books_author", "lib.books", "lib.authors", {{"author_id", "id"}}}};
    complete(*out);
    return out;
}

inline std::shared_ptr<const routes::ApiCatalog> version_of(std::string_view table) {
    const auto parsed = routes::parse_route_table(table, "v1.json");
    return routes::build_lens(parsed.table, library(), {}).api;
}

inline std::shared_ptr<const routes::ApiCatalog> plain() {
    return version_of(R"({"version": "v1", "schema": "lib", "expose": "schema"})");
}

inline std::shared_ptr<const routes::ApiCatalog> renamed() {
    return version_of(R"({"version": "v2", "schema": "lib", "deprecated": "2026-01-01", "sunset": "2099-01-01", "resources": {
        "works": {"relation": "books", "rename": {"name": "title", "writer": "author_id"}, "hide": ["secret"],
                  "methods": ["GET", "POST"]},
        "writers": {"relation": "authors", "rename": {"key": "id"}}}})");
}

// As Postgres would answer: `relations` and `functions` have a character for each.
inline sql::Rows answer(std::string_view relations, std::string_view functions = "", std::string_view comment = {}) {
    sql::Rows rows;
    rows.columns = 3;
    rows.cells = {relations, functions, comment};
    return rows;
}

inline Description described(const std::shared_ptr<const routes::ApiCatalog>& api, const sql::Rows& rows,
                             Options options = {}) {
    return {api.get(), read_grants(*api, options.mode, rows), server_of(options.server_url, "localhost:3000", "/v1"), options};
}

inline Json swagger_of(const std::shared_ptr<const routes::ApiCatalog>& api, const sql::Rows& rows, Options options = {}) {
    return Json::parse(write_swagger(described(api, rows, std::move(options))));
}
inline Json openapi_of(const std::shared_ptr<const routes::ApiCatalog>& api, const sql::Rows& rows, Options options = {}) {
    return Json::parse(write_openapi(described(api, rows, std::move(options))));
}

}  // namespace millrace::openapi
