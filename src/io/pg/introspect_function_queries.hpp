// The questions that introspection asks of functions, types and casts.
#pragma once

namespace millrace::pg::queries {

// Domains, with what they add to the type that they end in, and enums.
inline constexpr const char* types = R"(
with recursive chain(oid, base, not_null, fallback, type_modifier) as (
  select t.oid, t.typbasetype, t.typnotnull, pg_get_expr(t.typdefaultbin, 0), t.typtypmod from pg_type t where t.typtype = 'd'
  union all
  select d.oid, t.typbasetype, d.not_null or t.typnotnull, coalesce(d.fallback, pg_get_expr(t.typdefaultbin, 0)),
         case when d.type_modifier >= 0 then d.type_modifier else t.typtypmod end
  from chain d join pg_type t on t.oid = d.base and t.typtype = 'd'
), ends as (
  select d.oid, d.base, d.not_null, d.fallback, d.type_modifier
  from chain d join pg_type t on t.oid = d.base and t.typtype <> 'd'
  union all
  select t.oid, t.oid, false, null, -1 from pg_type t where t.typtype = 'e'
)
select e.oid, e.base, e.not_null, e.fallback, e.type_modifier, t.typname as name,
       (select array_agg(l.enumlabel::text order by l.enumsortorder) from pg_enum l where l.enumtypid = e.base) as labels
from ends e join pg_type t on t.oid = e.oid
order by e.oid)";

// Functions behind implicit casts between a domain and json or text.
inline constexpr const char* representations = R"(
select case when s.typtype = 'd' then s.oid else t.oid end as domain,
       case when s.typtype = 'd' then 'to_json' when s.oid = 'json'::regtype then 'from_json' else 'from_text' end as way,
       n.nspname as schema, p.proname as name, p.provolatile as volatility
from pg_cast c join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
  join pg_proc p on p.oid = c.castfunc join pg_namespace n on n.oid = p.pronamespace
where c.castcontext = 'i' and c.castmethod = 'f' and has_function_privilege(p.oid, 'execute')
  and (s.typtype = 'd' and t.oid = 'json'::regtype or t.typtype = 'd' and s.oid in ('json'::regtype, 'text'::regtype))
order by c.oid)";

// $1 schemas, $2 the role. Triggers and what speaks with Postgres' inside are no business of an API.
inline constexpr const char* functions = R"(
select p.oid, n.nspname as schema, p.proname as name, format_type(p.prorettype, null) as return_type,
       p.prorettype as return_type_oid, coalesce(obj_description(p.oid, 'pg_proc'), '') as comment,
       p.proretset as returns_set, p.prorows = 1 as one_row, p.provolatile as volatility, p.proconfig as settings,
       has_schema_privilege($2::name, n.oid, 'usage') and has_function_privilege($2::name, p.oid, 'execute') as may_execute
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_type t on t.oid = p.prorettype
where n.nspname = any($1) and p.prokind = 'f'
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))";

// What goes in and what comes out, by `mode`.
inline constexpr const char* arguments = R"(
select p.oid as function, coalesce(a.name, '') as name, format_type(a.type, null) as type, a.type as type_oid,
       t.typcategory as category, coalesce(a.mode, 'i') as mode,
       count(*) filter (where coalesce(a.mode, 'i') in ('i', 'b', 'v')) over (partition by p.oid order by a.n)
         > p.pronargs - p.pronargdefaults as has_default
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  cross join lateral unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes)
    with ordinality as a(type, name, mode, n)
  join pg_type t on t.oid = a.type
where n.nspname = any($1) and p.prokind = 'f'
order by p.oid, a.n)";

// Composite types among $1, with a row for each column.
inline constexpr const char* composites = R"(
select c.oid as composite, a.attname as name, a.attnum as position, format_type(a.atttypid, a.atttypmod) as type,
       a.atttypid as type_oid, a.atttypmod as type_modifier, t.typcategory as category
from pg_type c
  left join (pg_attribute a join pg_type t on t.oid = a.atttypid)
    on a.attrelid = c.typrelid and a.attnum > 0 and not a.attisdropped
where c.oid = any($1::oid[]) and c.typtype = 'c'
order by c.oid, a.attnum)";

// Functions that a row of one of the types $1 is enough for; $2 schemas, the first found first.
inline constexpr const char* row_functions = R"(
select n.nspname as schema, p.proname as name, p.proargtypes[0] as row_type, format_type(p.prorettype, null) as type,
       p.prorettype as type_oid, t.typcategory as category, p.proretset as returns_set, p.prorows = 1 as one_row,
       p.pronargs = 1 as only_row, p.provolatile as volatility, coalesce(obj_description(p.oid, 'pg_proc'), '') as comment
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_type t on t.oid = p.prorettype
where n.nspname = any($2) and p.prokind = 'f' and p.provariadic = 0 and t.typtype <> 'p'
  and p.pronargs > 0 and p.pronargs - p.pronargdefaults <= 1 and p.proargtypes[0] = any($1::oid[])
order by array_position($2::text[], n.nspname::text), p.proname, p.oid)";

// Aggregates over rows, of any type when `row_type` is null, whose result is one of the domains $1; $2 schemas.
inline constexpr const char* media_handlers = R"(
select n.nspname as schema, p.proname as name, p.prorettype as domain, p.provolatile as volatility,
       nullif(p.proargtypes[0], 'anyelement'::regtype) as row_type
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prokind = 'a' and p.pronargs = 1 and n.nspname = any($2) and p.prorettype = any($1::oid[])
order by array_position($2::text[], n.nspname::text), p.proname, p.oid)";

}  // namespace millrace::pg::queries
