// Writes the SQL that publishes tables for decoding, and the SQL that takes it away.
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

// A publication forbids UPDATE and DELETE of tables without a replica identity, so such tables are left out: an application
// must not fail for a cache. A partitioned table stands for all its partitions, also those to come, and those inherit its
// primary key but not REPLICA IDENTITY FULL: without a key only the partitions that have an identity are published, one by one.
// A table that is new to the publication is locked against writers first: what a transaction wrote before the table was
// published is not decoded, though it commit after. Children are named themselves, hence ONLY.
constexpr std::string_view publish = R"sql(
create function pg_temp.can_tell_rows(relation oid) returns boolean language sql stable as $$
  select c.relpersistence = 'p' and case c.relreplident
           when 'f' then c.relkind = 'r'
           when 'd' then exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
           when 'i' then c.relkind = 'r' and exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident)
           else false end
  from pg_class c where c.oid = relation
$$;

create function pg_temp.publish(names text[]) returns void language plpgsql as $$
declare
  relation regclass;
  wanted text[] := '{}';
begin
  if not exists (select from pg_publication where pubname = 'millrace') then
    create publication millrace;
  end if;
  alter publication millrace set (publish = 'insert, update, delete, truncate', publish_via_partition_root = false);
  for relation in
    select c.oid from unnest(names) as n(name) join pg_class c on c.oid = n.name::regclass
    where c.relkind in ('r', 'p') and pg_temp.can_tell_rows(c.oid)
      and (c.relkind = 'r' or not exists (
        select from pg_partition_tree(c.oid) t where t.isleaf and not pg_temp.can_tell_rows(t.relid)))
    order by c.oid
  loop
    if not exists (select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
                   where p.pubname = 'millrace' and r.prrelid = relation) then
      execute format('lock table %s in share row exclusive mode', relation);
    end if;
    wanted := wanted || format('%s%s', case when (select relkind from pg_class where oid = relation) = 'r' then 'only ' end,
                               relation);
  end loop;
  if wanted <> '{}' then
    execute 'alter publication millrace set table ' || array_to_string(wanted, ', ');
  else
    for relation in select prrelid from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
                    where p.pubname = 'millrace' loop
      execute format('alter publication millrace drop table only %s', relation);
    end loop;
  end if;
end
$$;
)sql";

bool holds_rows(const catalog::Relation& relation) {
    return relation.kind == catalog::RelationKind::table || relation.kind == catalog::RelationKind::partitioned_table;
}

}  // namespace

std::string publication_sql(const catalog::Catalog& catalog) {
    std::string sql = "set local lock_timeout = '10s';\nset local search_path = pg_catalog;\n";
    sql += publish;
    sql += "select pg_temp.publish(array[";
    std::string separator;
    for (const catalog::Relation& relation : catalog.relations) {
        if (!holds_rows(relation)) continue;
        const std::string name = text::quote_identifier(relation.schema) + "." + text::quote_identifier(relation.name);
        sql += std::exchange(separator, ",\n  ") + text::quote_literal(name);
    }
    sql += "]::text[]);\ndrop function pg_temp.publish(text[]);\ndrop function pg_temp.can_tell_rows(oid);\n";
    return sql + "select pg_notify(" + text::quote_literal(control_channel) + ", 'reload schema');\n";
}

std::string publication_removal_sql() {
    return "drop publication if exists millrace;\n" + idempotency_removal_sql() + "select pg_notify(" +
           text::quote_literal(control_channel) + ", 'reload schema');\n";
}

}  // namespace millrace::pg
