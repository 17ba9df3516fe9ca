// What `millrace migrate` puts into the schema millrace: functions that every trigger and every run of it share. Each is
// replaced as a whole; none takes a lock on a table.
#pragma once

#include <string_view>

namespace millrace::pg::migration {

// Names of tables as catalog::tag_of() writes them, and what is done with lists of tags. Lists begin with a space, for a
// payload is an xid and then the list. One that is too long for NOTIFY names tables instead of rows, or at last everything.
inline constexpr std::string_view tag_functions = R"sql(
create or replace function millrace.tag(schema name, name name) returns text
language sql immutable parallel safe as $$
  select string_agg(replace(replace(replace(replace(replace(replace(replace(replace(part, '%', '%25'), ' ', '%20'), '.', '%2E'),
         '#', '%23'), '!', '%21'), '*', '%2A'), '@', '%40'), e'\n', '%0A'), '.' order by place)
  from unnest(array[schema::text, name::text]) with ordinality as parts(part, place)
$$;

create or replace function millrace.tag_of(relation oid) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select millrace.tag(n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = relation
$$;

create or replace function millrace.widened(tags text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when octet_length(wide) <= 7800 then wide else ' *' end
  from (select string_agg(distinct ' ' || split_part(word, '#', 1), '') as wide
        from regexp_split_to_table(ltrim(tags), ' ') as words(word)) as words
$$;

create or replace function millrace.tell(tags text) returns void
language sql volatile set search_path = pg_catalog, pg_temp as $$
  select pg_notify('millrace_invalidation', pg_current_xact_id()::text || tags)
$$;
)sql";

// The primary key of a table as the triggers hash it: "attnum kind name, …"; null when it has none, or one whose text is not
// the same whoever writes it. Introspection compares it with what the triggers were made for; the values' texts are those of
// catalog::key_text(). $relation stands for the table's oid.
inline constexpr std::string_view key_layout = R"sql(
  select case when bool_and(kind is not null)
              then translate(string_agg(format('%s %s %I', attnum, kind, attname), ', ' order by n), e'\n\r', '  ') end
  from (
    select a.attnum, a.attname, k.n,
      case when t.typtype = 'e' then 'enum'
           when t.typname in ('int2', 'int4', 'int8', 'uuid', 'bool', 'date') then t.typname
           when t.typname in ('text', 'varchar') and l.collisdeterministic then t.typname end as kind
    from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, n)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      left join pg_type t on t.oid = a.atttypid and (t.typtype = 'e' or t.typnamespace = 'pg_catalog'::regnamespace)
      left join pg_collation l on l.oid = a.attcollation
    where i.indrelid = $relation and i.indisprimary and i.indisvalid and k.n <= i.indnkeyatts) as columns
)sql";

// A partition's or child's rows are rows of its parents too: under the parents' own tags, by key where the parent has the same.
inline constexpr std::string_view of_parents = R"sql(
create or replace function millrace.of_parents(relation oid, tag text, tags text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive line(oid) as (
    select inhparent from pg_inherits where inhrelid = relation
    union
    select i.inhparent from line join pg_inherits i on i.inhrelid = line.oid
  )
  select string_agg(case when regexp_replace(millrace.key_of(line.oid), '(^|, )\d+ ', '\1', 'g') =
                              regexp_replace(millrace.key_of(relation), '(^|, )\d+ ', '\1', 'g')
                         then replace(tags, ' ' || tag, ' ' || millrace.tag_of(line.oid))
                         else ' ' || millrace.tag_of(line.oid) end, '')
  from line
$$;
)sql";

// The body of a table's trigger function. Its statements are static, so that a session plans them once; and what goes wrong in
// them (a column was renamed) makes the statement a wide one rather than fail the write. The first line tells introspection
// which key is hashed. Up to 64 changed rows are told one by one. UPDATE looks at old and new rows: the key may change.
inline constexpr std::string_view body_of = R"sql(
create or replace function millrace.body_of(relation regclass) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
declare
  layout text := millrace.key_of(relation);
  place record;
  key text;
  look text := 'if not exists (select from changed) then return null; end if;';
begin
  select n.nspname as schema, c.relname as name into place
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = relation;
  if layout is not null then
    select string_agg(format(case a.atttypid when 'date'::regtype then $$encode(date_send(r.%I), 'hex')$$ else 'r.%I::text' end,
                             a.attname), $$ || ',' || $$ order by k.n)
    into key
    from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, n)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = relation and i.indisprimary and k.n <= i.indnkeyatts;
    look := format($$begin
      if tg_op = 'UPDATE' then
        select count(*) / 2, string_agg(distinct %1$s, '') into number, tags
        from ((select %2$s from changed r limit 65) union all (select %2$s from became r limit 65)) as keys(key);
      else
        select count(*), string_agg(distinct %1$s, '') into number, tags from (select %2$s from changed r limit 65) as keys(key);
      end if;
      if number = 0 then return null; end if;
      if number > 64 then tags := null; end if;
    exception when others then
      tags := null;
    end;$$, $$' ' || tag || '#' || left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 4)$$, key);
  end if;
  return format($$
-- key: %1$s
declare
  tag text := case when tg_table_name = %2$L and tg_table_schema = %3$L then %4$L
                   else millrace.tag(tg_table_schema, tg_table_name) end;
  number bigint;
  tags text;
  told text := coalesce(current_setting('millrace.invalidated', true), '');
begin
  if tg_op <> 'TRUNCATE' then  -- which has no transition table
    %5$s
  end if;
  tags := coalesce(tags, ' ' || tag);
  if exists (select from pg_inherits where inhrelid = tg_relid) then
    tags := tags || millrace.of_parents(tg_relid, tag, tags);
  end if;
  if octet_length(tags) > 7800 then
    tags := millrace.widened(tags);
  end if;
  perform pg_notify('millrace_invalidation', pg_current_xact_id()::text || tags);
  if strpos(told || ' ', tags || ' ') = 0 then  -- for who made the write, until the transaction ends
    told := told || tags;
    if octet_length(told) > 7800 then
      told := millrace.widened(told);
    end if;
    perform set_config('millrace.invalidated', told, true);
  end if;
  return null;
end
$$, layout, place.name, place.schema, millrace.tag(place.schema, place.name), look);
end
$body$;
)sql";

// Triggers that are as they should be are left alone, so that a second run waits for nobody. They fire always, also where
// session_replication_role is 'replica'. Says whether anything was not as it should be.
inline constexpr std::string_view watch_table = R"sql(
create or replace function millrace.watch_table(relation regclass) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = 'warning' as $$
declare
  body text := millrace.body_of(relation);
  before text := coalesce(current_setting('millrace.watching', true), '');
  mended boolean := false;
  name text;
  event text;
  tables text;
begin
  select 'rows_of_' || left(regexp_replace(c.relname, '\W', '', 'g'), 20) || '_' ||
         left(encode(sha256(convert_to(millrace.tag_of(c.oid), 'UTF8')), 'hex'), 16) into name
  from pg_class c where c.oid = relation;
  perform set_config('millrace.watching', 'on', true);
  if not exists (select from pg_proc where pronamespace = 'millrace'::regnamespace and proname = name and prosrc = body) then
    execute format('create or replace function millrace.%I() returns trigger language plpgsql security definer '
                   'set search_path = pg_catalog, pg_temp as %L', name, body);
    mended := true;
  end if;
  foreach event in array array['insert', 'update', 'delete', 'truncate'] loop
    continue when exists (
      select from pg_trigger where tgrelid = relation and tgname = 'millrace_' || event and tgenabled = 'A'
        and tgfoid = format('millrace.%I()', name)::regprocedure);
    tables := case event when 'insert' then 'referencing new table as changed' when 'delete' then 'referencing old table as changed'
                         when 'update' then 'referencing old table as changed new table as became' else '' end;
    execute format('drop trigger if exists millrace_%s on %s', event, relation);
    execute format('create trigger millrace_%s after %s on %s %s for each statement execute function millrace.%I()',
                   event, event, relation, tables, name);
    execute format('alter table only %s enable always trigger millrace_%s', relation, event);
    mended := true;
  end loop;
  perform set_config('millrace.watching', before, true);
  return mended;
end
$$;

create or replace function millrace.watch_all(relations text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  relation text;
  mended boolean := false;
begin
  foreach relation in array relations loop
    mended := millrace.watch_table(relation::regclass) or mended;
  end loop;
  perform millrace.sweep();
  if mended then  -- entries that were made while the triggers were others may have tags that these do not send
    perform millrace.tell(' !*');
  end if;
end
$$;

create or replace function millrace.sweep() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  orphan regprocedure;
begin
  for orphan in
    select p.oid from pg_proc p
    where p.pronamespace = 'millrace'::regnamespace and (p.proname like 'rows\_of\_%' or p.proname = 'invalidate')
      and p.prorettype = 'trigger'::regtype and not exists (select from pg_trigger t where t.tgfoid = p.oid)
  loop
    execute format('drop function %s', orphan);
  end loop;
end
$$;
)sql";

// For people: refreshing a materialized view where no event trigger tells of it, and the purge behind the admin listener.
inline constexpr std::string_view tools = R"sql(
create or replace function millrace.refresh(relation regclass, concurrent boolean default false) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('refresh materialized view %s %s', case when concurrent then 'concurrently' else '' end, relation);
  perform millrace.tell(' ' || millrace.tag_of(relation));
end
$$;

create or replace function millrace.purge(tags text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  word text;
  words text := '';
begin
  if cardinality(tags) > 1000 then
    raise exception 'at most 1000 tags at a time' using errcode = '22023';
  end if;
  foreach word in array tags loop
    if word is null or word !~ '^!?(\*|[^\s!*#]+(#[0-9a-f]{4})?)$' or octet_length(word) > 1000 then
      raise exception 'not a tag: %', coalesce(quote_literal(word), 'null') using errcode = '22023';
    end if;
    if octet_length(words) + octet_length(word) > 7800 then
      perform millrace.tell(words);
      words := '';
    end if;
    words := words || ' ' || word;
  end loop;
  if words <> '' then
    perform millrace.tell(words);
  end if;
end
$$;
revoke execute on function millrace.purge(text[]) from public;
)sql";

// DDL, grants and policies may change any answer, and what the triggers must look at. A statement of its own kind, the refresh
// of a materialized view, changes that view. Tables that are made or attached later are watched from the statement on that
// makes them. An event trigger that fails would fail every DDL of the database, so what cannot be watched is only warned of.
inline constexpr std::string_view on_ddl = R"sql(
create or replace function millrace.watch_family(relation oid, schemas text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  found regclass;
begin
  for found in
    with recursive family(oid) as (
      select relation
      union
      select i.inhrelid from family f join pg_inherits i on i.inhparent = f.oid
    ), line(oid) as (
      select relation
      union
      select i.inhparent from line l join pg_inherits i on i.inhrelid = l.oid
    )
    select c.oid from family f join pg_class c on c.oid = f.oid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence <> 't'
      and (n.nspname = any(schemas)
           or exists (select from line l join pg_trigger t on t.tgrelid = l.oid where t.tgname = 'millrace_truncate'))
  loop
    perform millrace.watch_table(found);
  end loop;
exception when others then
  raise warning 'millrace cannot watch %: %', relation::regclass, sqlerrm;
end
$$;

create or replace function millrace.on_ddl() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  command record;
  matters boolean := false;
begin
  if current_setting('millrace.watching', true) = 'on' then  -- it is ours
    return;
  end if;
  if tg_event = 'sql_drop' then
    matters := exists (select from pg_event_trigger_dropped_objects() where not is_temporary);
  else
    for command in select * from pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp' loop
      if command.command_tag = 'REFRESH MATERIALIZED VIEW' then
        perform millrace.tell(' ' || millrace.tag_of(command.objid));
        continue;
      end if;
      matters := true;
      if command.classid = 'pg_class'::regclass then
        perform millrace.watch_family(command.objid, millrace.schemas());
      end if;
    end loop;
  end if;
  if matters then
    perform millrace.tell(' !*'), pg_notify('millrace', 'reload schema');
  end if;
end
$$;

do $$
declare
  event text;
begin
  foreach event in array array['ddl_command_end', 'sql_drop'] loop
    if not exists (select from pg_event_trigger where evtname = 'millrace_' || event) then
      execute format('create event trigger millrace_%s on %s execute function millrace.on_ddl()', event, event);
      execute format('alter event trigger millrace_%s enable always', event);
    end if;
  end loop;
exception when insufficient_privilege then
  null;  -- polling sees it, later: cache.catalog_poll_ms
end $$;
)sql";

inline constexpr std::string_view removal = R"sql(set local lock_timeout = '10s';
do $$
declare
  ours regprocedure;
begin
  drop event trigger if exists millrace_ddl_command_end;
  drop event trigger if exists millrace_sql_drop;
  for ours in
    select p.oid from pg_proc p
    where p.pronamespace = to_regnamespace('millrace')
      and (p.proname in ('invalidate', 'watch', 'tag', 'tag_of', 'widened', 'tell', 'key_of', 'of_parents', 'body_of', 'watch_table',
                         'watch_all', 'schemas', 'sweep', 'refresh', 'purge', 'watch_family', 'on_ddl') or p.proname like 'rows\_of\_%')
  loop
    execute format('drop function %s cascade', ours);  -- with the triggers of every table, also of those that no route knows
  end loop;
end $$;
)sql";

}  // namespace millrace::pg::migration
