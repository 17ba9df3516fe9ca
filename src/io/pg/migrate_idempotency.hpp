// What `millrace migrate` makes for requests that may be repeated: the table of their answers, and the functions that are the
// only way to it.
#pragma once

#include <string_view>

namespace millrace::pg::migration {

// Nobody but the owner may use any of it, whatever default privileges say; what was granted later stays. The key of a row is a
// digest that nobody can guess who does not know the request's own key. A repeat that comes while the first one is underway
// does not wait for its row: the advisory lock tells at once. The lock is taken before the row is looked for, by a statement of
// its own, so that what its last holder committed is seen; a transaction that has one snapshot for all of its statements may
// miss that, and fails when it wants to keep an answer of its own.
inline constexpr std::string_view idempotency = R"sql(
do $$ begin
  if to_regclass('millrace.idempotency_keys') is null then
    create table millrace.idempotency_keys (
      id bytea primary key,
      fingerprint bytea not null,
      status smallint not null,
      headers bytea not null,
      body bytea not null,
      created timestamptz not null default now(),
      expires timestamptz not null
    );
    create index idempotency_keys_expires on millrace.idempotency_keys (expires);
    perform set_config('millrace.without_keys', 'on', true);
  end if;
end $$;

create or replace function millrace.claim_idempotency_key(key bytea, request bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  kept bytea;
begin
  if not pg_try_advisory_xact_lock(('x' || encode(substr(key, 1, 8), 'hex'))::bit(64)::bigint) then
    raise exception 'a request with this idempotency key is under way' using errcode = 'MR043';
  end if;
  select k.fingerprint into kept from millrace.idempotency_keys k where k.id = key and k.expires > clock_timestamp();
  if kept = request then
    raise exception 'a request with this idempotency key has been answered' using errcode = 'MR200';
  elsif found then
    raise exception 'this idempotency key was used for another request' using errcode = 'MR042';
  end if;
end
$$;

create or replace function millrace.keep_idempotent_answer(key bytea, request bytea, status integer, headers bytea, body bytea,
                                                           keep_s bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into millrace.idempotency_keys as k (id, fingerprint, status, headers, body, expires)
  values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
  on conflict (id) do update
    set fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers, body = excluded.body,
        created = excluded.created, expires = excluded.expires
    where k.expires <= clock_timestamp();
  if not found then
    raise exception 'a request with this idempotency key is under way' using errcode = 'MR043';
  end if;
  delete from millrace.idempotency_keys k where k.id in (  -- more than come in, and no more than a few
    select e.id from millrace.idempotency_keys e where e.expires <= clock_timestamp() order by e.expires limit 8
    for update skip locked);
end
$$;

create or replace function millrace.find_idempotent_answer(key bytea, request bytea)
returns table (status integer, headers bytea, body bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select k.status::integer, k.headers, k.body from millrace.idempotency_keys k
  where k.id = $1 and k.fingerprint = $2 and k.expires > clock_timestamp()
$$;

do $$
declare
  granted record;
begin
  if coalesce(current_setting('millrace.without_keys', true), '') = '' then
    return;
  end if;
  revoke all on table millrace.idempotency_keys from public;
  revoke all on function millrace.claim_idempotency_key(bytea, bytea),
    millrace.keep_idempotent_answer(bytea, bytea, integer, bytea, bytea, bigint),
    millrace.find_idempotent_answer(bytea, bytea) from public;
  for granted in
    select 'table ' || c.oid::regclass as what, a.grantee::regrole as who
    from pg_class c cross join lateral aclexplode(c.relacl) a
    where c.oid = 'millrace.idempotency_keys'::regclass and a.grantee not in (0, c.relowner)
    union
    select 'function ' || p.oid::regprocedure, a.grantee::regrole
    from pg_proc p cross join lateral aclexplode(p.proacl) a
    where p.pronamespace = 'millrace'::regnamespace and a.grantee not in (0, p.proowner)
      and p.proname in ('claim_idempotency_key', 'keep_idempotent_answer', 'find_idempotent_answer')
  loop
    execute format('revoke all on %s from %s', granted.what, granted.who);
  end loop;
end $$;
)sql";

inline constexpr std::string_view idempotency_grant =
    R"sql(grant execute on function millrace.claim_idempotency_key(bytea, bytea),
  millrace.keep_idempotent_answer(bytea, bytea, integer, bytea, bytea, bigint),
  millrace.find_idempotent_answer(bytea, bytea) to $role;
)sql";

// The answers stay as long as either source of invalidations does.
inline constexpr std::string_view idempotency_removal = R"sql(
do $$ begin
  if to_regnamespace('millrace') is not null and to_regproc('millrace.watch_all') is null
     and not exists (select from pg_publication where pubname = 'millrace') then
    drop function if exists millrace.claim_idempotency_key(bytea, bytea),
      millrace.keep_idempotent_answer(bytea, bytea, integer, bytea, bytea, bigint), millrace.find_idempotent_answer(bytea, bytea);
    drop table if exists millrace.idempotency_keys;
  end if;
  begin
    drop schema if exists millrace;
  exception when dependent_objects_still_exist then
    null;
  end;
end $$;
)sql";

}  // namespace millrace::pg::migration
