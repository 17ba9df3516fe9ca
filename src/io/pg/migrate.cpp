// Writes the SQL that makes Postgres tell what a transaction changed, and the SQL that takes it away.
#include "migrate_functions.hpp"
#include "migrate_idempotency.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

constexpr std::string_view begin = R"sql(set local lock_timeout = '10s';
select set_config('millrace.watching', 'on', true);
do $$ begin
  if to_regnamespace('millrace') is null then create schema millrace; end if;
end $$;
)sql";

// An older layout's; the triggers no longer need it.
constexpr std::string_view before = "drop function if exists millrace.watch(regclass);\n";

std::string filled(std::string_view sql, std::string_view slot, std::string_view value) {
    std::string out(sql);
    return out.replace(out.find(slot), slot.size(), value);
}

bool has_triggers(const catalog::Relation& relation) {
    return relation.kind == catalog::RelationKind::table || relation.kind == catalog::RelationKind::partitioned_table;
}

std::string array_of(const std::vector<std::string>& values) {
    std::string out;
    for (const std::string& value : values) out += (out.empty() ? "" : ", ") + text::quote_literal(value);
    return "array[" + out + "]::text[]";
}

std::string reload() { return "select pg_notify(" + text::quote_literal(control_channel) + ", 'reload schema');\n"; }

}  // namespace

std::string migration_sql(const catalog::Catalog& catalog, const std::vector<std::string>& schemas) {
    std::vector<std::string> relations;
    for (const catalog::Relation& relation : catalog.relations)
        if (has_triggers(relation))
            relations.push_back(text::quote_identifier(relation.schema) + "." + text::quote_identifier(relation.name));
    std::string sql(begin);
    sql += migration::tag_functions;
    sql +=
        "\ncreate or replace function millrace.key_of(relation oid) returns text\n"
        "language sql stable set search_path = pg_catalog, pg_temp as $$" +
        filled(migration::key_layout, "$relation", "relation") + "$$;\n";
    sql.append(migration::of_parents).append(migration::body_of).append(migration::watch_table).append(migration::tools);
    sql += "\ncreate or replace function millrace.schemas() returns text[] language sql immutable as " +
           text::quote_literal("select " + array_of(schemas)) + ";\n";
    sql.append(migration::on_ddl).append(before);
    sql += "select millrace.watch_all(" + array_of(relations) + ");\n";
    return sql + reload();
}

std::string migration_removal_sql() { return std::string(migration::removal) + idempotency_removal_sql() + reload(); }

std::string idempotency_sql(const std::string& login_role) {
    std::string sql = std::string(begin).append(migration::idempotency);
    if (login_role.empty()) return sql;
    const std::string role = text::quote_identifier(login_role);
    sql += "grant usage on schema millrace to " + role + ";\n";
    return sql + filled(migration::idempotency_grant, "$role", role);
}

std::string idempotency_removal_sql() { return std::string(migration::idempotency_removal); }

}  // namespace millrace::pg
