// The questions that introspection asks pg_catalog. $1 is an array of oids or of schemas; all run in one snapshot.
#pragma once

namespace millrace::pg::queries {

// Types are then written with their schema unless they are Postgres' own, whatever the role's search_path is.
inline constexpr const char* begin =
    "set transaction isolation level repeatable read read only; "
    "set local search_path = ''; set local statement_timeout = '60s'; set local client_min_messages = 'warning'";

// $1 the anonymous role or ''. Fails when there is no such role.
inline constexpr const char* server = R"(
select current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby,
       has_function_privilege('pg_control_system()', 'execute') as may_identify,
       has_function_privilege('pg_control_checkpoint()', 'execute') as may_see_checkpoint,
       (select count(*) = 2 from pg_event_trigger t join pg_proc f on f.oid = t.evtfoid
          join pg_namespace n on n.oid = f.pronamespace
        where t.evtenabled in ('O', 'A') and n.nspname = 'millrace' and f.proname = 'on_ddl') as ddl_watched,
       coalesce((select rolname from pg_roles where rolname = nullif($1, '')),
                case when $1 = '' then current_user::text else ($1::regrole)::text end)::text as role)";

inline constexpr const char* system_identifier = "select system_identifier from pg_control_system()";
inline constexpr const char* incarnation =
    "select coalesce((extract(epoch from pg_stat_get_bgwriter_stat_reset_time()) * 1000000)::int8, 0)";
inline constexpr const char* timeline_of_primary = "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
inline constexpr const char* timeline_of_standby = "select lpad(to_hex(timeline_id), 8, '0') from pg_control_checkpoint()";

// From each relation of the schemas $1, and from the relations $2 ("schema.name"), along views, policies and inheritance:
// (source, target, kind). A row without target is a relation of the schemas.
inline constexpr const char* reach = R"(
with recursive known as materialized (
  select c.oid, c.relname, c.relnamespace, c.relkind, c.relrowsecurity from pg_class c
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and c.oid >= 16384
    and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
), edges as materialized (
  select r.ev_class as source, d.refobjid as target, 'reads' as kind
  from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
  where r.ev_type = '1'
  union
  select p.polrelid, d.refobjid, 'policy'
  from pg_policy p join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> p.polrelid
    join known t on t.oid = p.polrelid and t.relrowsecurity
  where p.polcmd in ('r', '*')
  union
  select inhrelid, inhparent, 'parent' from pg_inherits
  union
  select inhparent, inhrelid, 'child' from pg_inherits
), reached(oid) as (
  select k.oid from known k join pg_namespace n on n.oid = k.relnamespace
  where n.nspname = any($1) or n.nspname || '.' || k.relname = any($2)
  union
  select e.target from reached r join edges e on e.source = r.oid join known k on k.oid = e.target
)
select r.oid as source, null::oid as target, '' as kind from reached r
union all
select e.source, e.target, e.kind from reached r join edges e on e.source = r.oid join known k on k.oid = e.target
order by source, target, kind)";

// $2 the role whose privileges count; $watched stands for one of the two below, and $layout there for
// migration::key_layout.
inline constexpr const char* relations = R"(
select c.oid, c.reltype as row_type, n.nspname as schema, c.relname as name, c.relkind as kind, c.relispartition as partition,
       c.relrowsecurity as row_security, coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
       u.usage and has_any_column_privilege($2::name, c.oid, 'select') as may_select,
       u.usage and has_any_column_privilege($2::name, c.oid, 'insert') as may_insert,
       u.usage and has_any_column_privilege($2::name, c.oid, 'update') as may_update,
       u.usage and has_table_privilege($2::name, c.oid, 'delete') as may_delete,
       case when c.relkind in ('r', 'p') then 28 else pg_relation_is_updatable(c.oid, true) end as writes,
       case when c.relkind in ('v', 'm') then
         (select r.ev_action::text from pg_rewrite r where r.ev_class = c.oid and r.ev_type = '1') end as query,
       coalesce(w.watched, false) as watched, coalesce(w.told_by_key, false) as told_by_key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select has_schema_privilege($2::name, n.oid, 'usage') as usage) u
  cross join lateral ($watched) w
where c.oid = any($1::oid[])
order by n.nspname, c.relname)";

// How it is known that a relation tells of its changes, and of which rows: by its triggers …
inline constexpr const char* by_triggers = R"(
select count(*) = 4 as watched,
       count(*) = 4 and count(distinct f.prosrc) = 1 and min(substring(f.prosrc from '^\n-- key: ([^\n]*)')) = ($layout) as told_by_key
from pg_trigger t join pg_proc f on f.oid = t.tgfoid join pg_namespace fn on fn.oid = f.pronamespace
where t.tgrelid = c.oid and t.tgenabled = 'A' and fn.nspname = 'millrace'
  and (f.proname like 'rows\_of\_%' or f.proname = 'invalidate')
  and t.tgname in ('millrace_insert', 'millrace_update', 'millrace_delete', 'millrace_truncate'))";

// … or because all that is done to it is published, and not in the name of a parent. A partitioned table has no rows of its
// own. What is published with the old keys tells of rows.
inline constexpr const char* by_publication = R"(
select c.relkind = 'p' or exists (
         select from pg_publication p join pg_publication_tables t on t.pubname = p.pubname
         where p.pubname = 'millrace' and p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and not p.pubviaroot
           and t.schemaname = n.nspname and t.tablename = c.relname) as watched,
       c.relreplident in ('d', 'f') and ($layout) is not null as told_by_key)";

inline constexpr const char* columns = R"(
select a.attrelid as relation, a.attname as name, a.attnum as position, format_type(a.atttypid, a.atttypmod) as type,
       a.atttypid as type_oid, a.atttypmod as type_modifier, t.typcategory as category, a.attnotnull as not_null,
       a.atthasdef or a.attidentity <> '' as has_default,
       case when a.attidentity = 'd' then (
              select format('nextval(%L)', d.objid::regclass) from pg_depend d
              where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid
                and d.refobjsubid = a.attnum and d.deptype = 'i' limit 1)
            when a.attgenerated = '' then pg_get_expr(f.adbin, f.adrelid) end as fallback,
       a.attgenerated <> '' as generated, coalesce(col_description(a.attrelid, a.attnum), '') as comment
from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum)";

// A row for each column of each key. A unique index that is no constraint makes no key, as in PostgREST.
inline constexpr const char* keys = R"(
select i.indrelid as relation, i.indexrelid as key, i.indisprimary as primary_key, a.attname as column
from pg_index i join pg_class c on c.oid = i.indexrelid
  join pg_constraint u on u.conindid = i.indexrelid and u.conrelid = i.indrelid and u.contype in ('p', 'u')
  cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, n)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = any($1::oid[]) and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
  and k.n <= i.indnkeyatts
order by i.indrelid, i.indisprimary desc, c.relname, k.n)";

// A row for each pair of columns. Those that a partition has from its parent are left out, on either end.
inline constexpr const char* foreign_keys = R"(
select f.oid as key, f.conname as name, f.conrelid as source, f.confrelid as target, s.attname as source_column, t.attname as target_column
from pg_constraint f
  cross join lateral unnest(f.conkey, f.confkey) with ordinality as k(source, target, n)
  join pg_attribute s on s.attrelid = f.conrelid and s.attnum = k.source
  join pg_attribute t on t.attrelid = f.confrelid and t.attnum = k.target
where f.contype = 'f' and f.conparentid = 0 and f.conrelid = any($1::oid[]) and f.confrelid = any($1::oid[])
order by f.conrelid::regclass::text, f.conname, k.n)";

inline constexpr const char* policies = R"(
select p.polrelid as relation, p.polqual::text as query
from pg_policy p join pg_class c on c.oid = p.polrelid and c.relrowsecurity
where p.polrelid = any($1::oid[]) and p.polcmd in ('r', '*') and p.polqual is not null
order by p.polrelid, p.polname)";

inline constexpr const char* procedures =
    "select oid, proname as name, provolatile as volatility from pg_proc "
    "where oid = any($1::oid[]) order by oid";

}  // namespace millrace::pg::queries
