// Writes the SQL that makes Postgres tell which tables a transaction changed, and the SQL that takes it away.
#include <set>

#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

// The payload is "xid tag tag …", a tag for the table and one for each table that it is a partition or a child of: whoever
// read through those has read this one. Equal payloads of one transaction are sent once (Postgres, NOTIFY). The tags are
// catalog::tag_of() of the tables. xid8 never wraps, and is assigned only when there is something to tell.
constexpr std::string_view functions = R"sql(
create or replace function millrace.tag(schema name, name name) returns text
language sql immutable parallel safe as $$
  select replace(replace(replace(replace(schema, '%', '%25'), ' ', '%20'), '.', '%2E'), '#', '%23') || '.' ||
         replace(replace(replace(replace(name, '%', '%25'), ' ', '%20'), '.', '%2E'), '#', '%23')
$$;

create or replace function millrace.invalidate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tags text;
begin
  if tg_op <> 'TRUNCATE' then  -- which has no transition table
    if not exists (select from changed) then
      return null;
    end if;
  end if;
  if exists (select from pg_catalog.pg_inherits where inhrelid = tg_relid) then
    with recursive line(oid) as (
      select tg_relid
      union
      select i.inhparent from line join pg_catalog.pg_inherits i on i.inhrelid = line.oid
    )
    select string_agg(millrace.tag(n.nspname, c.relname), ' ') into tags
    from line join pg_catalog.pg_class c using (oid) join pg_catalog.pg_namespace n on n.oid = c.relnamespace;
  else
    tags := millrace.tag(tg_table_schema, tg_table_name);
  end if;
  perform pg_catalog.pg_notify('millrace_invalidation', pg_catalog.pg_current_xact_id()::text || ' ' || tags);
  return null;
end
$$;

-- Triggers that are as they should be are left alone, so that a second run waits for nobody. They fire always, also where
-- session_replication_role is 'replica'.
create or replace function millrace.watch(relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  event text;
  changed text;
begin
  foreach event in array array['insert', 'update', 'delete', 'truncate'] loop
    continue when exists (
      select from pg_trigger where tgrelid = relation and tgname = 'millrace_' || event and tgenabled = 'A'
        and tgfoid = 'millrace.invalidate()'::regprocedure);
    changed := case event when 'insert' then 'referencing new table as changed' when 'truncate' then ''
                          else 'referencing old table as changed' end;
    execute format('drop trigger if exists millrace_%s on %s', event, relation);
    execute format('create trigger millrace_%s after %s on %s %s for each statement execute function millrace.invalidate()',
                   event, event, relation, changed);
    execute format('alter table only %s enable always trigger millrace_%s', relation, event);
  end loop;
end
$$;

)sql";

constexpr std::string_view schema = R"sql(set local lock_timeout = '10s';
do $$ begin
  if to_regnamespace('millrace') is null then create schema millrace; end if;
end $$;
)sql";

bool has_triggers(const catalog::Relation& relation) {
    return relation.kind == catalog::RelationKind::table || relation.kind == catalog::RelationKind::partitioned_table;
}

}  // namespace

std::string migration_sql(const catalog::Catalog& catalog) {
    std::string sql(schema);
    sql += functions;
    for (const catalog::Relation& relation : catalog.relations) {
        if (!has_triggers(relation)) continue;
        const std::string name = text::quote_identifier(relation.schema) + "." + text::quote_identifier(relation.name);
        sql += "select millrace.watch(" + text::quote_literal(name) + ");\n";
    }
    return sql + "select pg_notify(" + text::quote_literal(control_channel) + ", 'reload schema');\n";
}

// The triggers of every table go with their function, also of those that the catalog does not know.
std::string migration_removal_sql(const catalog::Catalog&) {
    return "set local lock_timeout = '10s';\n"
           "do $$ begin\n"
           "  if to_regprocedure('millrace.invalidate()') is not null then drop function millrace.invalidate() cascade; end "
           "if;\n"
           "end $$;\n"
           "drop function if exists millrace.watch(regclass);\n"
           "drop function if exists millrace.tag(name, name);\n"
           "drop schema if exists millrace;\n"
           "select pg_notify('millrace', 'reload schema');\n";
}

}  // namespace millrace::pg
