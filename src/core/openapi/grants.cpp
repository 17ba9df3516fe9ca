// Asks Postgres, in the caller's role, which relations and functions of a version it has privileges for.
#include <algorithm>

#include "json_writer.hpp"
#include "millrace/core/openapi.hpp"

namespace millrace::openapi {
namespace {

using routes::ApiCatalog;

// One character for each relation and function, in the order in which they are asked for: '@' with a bit for each privilege.
enum Bit : unsigned { any = 1, select = 2, insert = 4, update = 8, del = 16 };

// Any privilege makes PostgREST show a relation, the owner's included; the bits above say which methods can work.
constexpr std::string_view question = R"(SELECT
(SELECT string_agg(chr(64 + coalesce(
    (pg_has_role(c.relowner, 'USAGE')
      OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
      OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))::int
    + CASE WHEN has_schema_privilege(n.oid, 'USAGE') THEN 2 * has_any_column_privilege(c.oid, 'SELECT')::int
      + 4 * has_any_column_privilege(c.oid, 'INSERT')::int + 8 * has_any_column_privilege(c.oid, 'UPDATE')::int
      + 16 * has_table_privilege(c.oid, 'DELETE')::int ELSE 0 END, 0)), '' ORDER BY r.place)
  FROM json_array_elements($1::json) WITH ORDINALITY AS r(name, place)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = (r.name->>0)::name
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = (r.name->>1)::name
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
(SELECT string_agg(chr(64 + coalesce(has_function_privilege(p.oid, 'EXECUTE')::int, 0)), '' ORDER BY f.place)
  FROM json_array_elements($2::json) WITH ORDINALITY AS f(name, place)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = (f.name->>0)::name
  LEFT JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname = (f.name->>1)::name
    AND p.proargtypes::text = f.name->>2),
(SELECT obj_description(n.oid, 'pg_namespace') FROM pg_catalog.pg_namespace n WHERE n.nspname = $3::name))";

std::string relations_json(const ApiCatalog& api) {
    JsonWriter out;
    out.array([&] {
        for (const auto& resource : api.resources())
            out.array([&] {
                out.text(resource->relation->schema);
                out.text(resource->relation->name);
            });
    });
    return out.take();
}

// As an oidvector is written: "23 25".
std::string argument_types(const catalog::Function& function) {
    std::string out;
    for (const catalog::Parameter& parameter : function.parameters)
        out += (out.empty() ? "" : " ") + std::to_string(parameter.type_oid);
    return out;
}

std::string functions_json(const ApiCatalog& api) {
    JsonWriter out;
    out.array([&] {
        for (const auto& function : api.functions())
            for (const routes::Overload& overload : function->overloads)
                out.array([&] {
                    out.text(overload.function->schema);
                    out.text(overload.function->name);
                    out.text(argument_types(*overload.function));
                });
    });
    return out.take();
}

// What the answer says of each thing that was asked for, one after the other.
class Answer {
public:
    explicit Answer(std::optional<std::string_view> bits) : bits_(bits) {}

    unsigned next() {
        if (!bits_) return ~0U;
        const std::size_t at = at_++;
        return at < bits_->size() ? static_cast<unsigned>((*bits_)[at]) - '@' : 0U;
    }

private:
    std::optional<std::string_view> bits_;  // nothing: everything is granted
    std::size_t at_ = 0;
};

Answer answer_of(Mode mode, const sql::Rows& rows, std::size_t column) {
    if (mode == Mode::ignore_privileges) return Answer(std::nullopt);
    return Answer(rows.count() == 0 ? std::string_view() : rows.at(0, column));
}

std::vector<GrantedResource> granted_resources(const ApiCatalog& api, Answer answer) {
    std::vector<GrantedResource> out;
    for (const auto& resource : api.resources()) {
        const unsigned bits = answer.next();
        if ((bits & any) == 0) continue;
        out.push_back({resource.get(), (bits & select) != 0, (bits & insert) != 0, (bits & update) != 0, (bits & del) != 0});
    }
    std::ranges::sort(out, {}, [](const GrantedResource& granted) -> std::string_view { return granted.resource->name; });
    return out;
}

std::vector<GrantedFunction> granted_functions(const ApiCatalog& api, Answer answer) {
    std::vector<GrantedFunction> out;
    for (const auto& function : api.functions()) {
        GrantedFunction granted{function.get(), {}};
        for (const routes::Overload& overload : function->overloads)
            if ((answer.next() & any) != 0) granted.overloads.push_back(&overload);
        std::ranges::stable_sort(granted.overloads, {}, [](const auto* each) { return each->function->parameters.size(); });
        if (!granted.overloads.empty()) out.push_back(std::move(granted));
    }
    std::ranges::sort(out, {}, [](const GrantedFunction& granted) -> std::string_view { return granted.function->name; });
    return out;
}

}  // namespace

sql::Statement ask_grants(const ApiCatalog& api, Mode mode) {
    const bool asks = mode == Mode::follow_privileges;
    sql::Statement statement;
    statement.text = question;
    statement.parameters = {asks ? relations_json(api) : "[]", asks ? functions_json(api) : "[]", api.table().schema};
    statement.shape = text::hash64(statement.text);
    return statement;
}

Grants read_grants(const ApiCatalog& api, Mode mode, const sql::Rows& rows) {
    Grants grants;
    grants.resources = granted_resources(api, answer_of(mode, rows, 0));
    grants.functions = granted_functions(api, answer_of(mode, rows, 1));
    if (rows.count() > 0 && !rows.is_null(0, 2)) grants.comment = rows.at(0, 2);
    return grants;
}

}  // namespace millrace::openapi
