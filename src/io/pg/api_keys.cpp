// API keys where Postgres keeps them: made, listed and revoked by the command line.
#include "introspect_session.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

// Who may read the table is the role that made it, and the login role of the service. Whoever changes it tells every replica.
constexpr const char* layout = R"sql(
create schema if not exists millrace_auth;
revoke all on schema millrace_auth from public;
create table if not exists millrace_auth.api_keys (
  id text primary key,
  name text not null,
  hash text not null unique,
  role name not null,
  scopes text[] not null default '{}',
  plan text not null default '',
  created timestamptz not null default now(),
  expires timestamptz,
  revoked timestamptz
);
create or replace function millrace_auth.tell() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('millrace_invalidation', pg_current_xact_id()::text || ' millrace_auth.api_keys');
  return null;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'millrace_auth.api_keys'::regclass and tgname = 'tell') then
    create trigger tell after insert or update or delete or truncate on millrace_auth.api_keys
      for each statement execute function millrace_auth.tell();
  end if;
end $$;
)sql";

constexpr const char* insert = R"sql(
insert into millrace_auth.api_keys (id, name, hash, role, scopes, plan, expires)
select $1, $2, $3, $4, coalesce(string_to_array(nullif($5, ''), ' '), '{}'), $6, nullif($7, '')::timestamptz
)sql";

constexpr const char* select = R"sql(
select id, name, role::text, coalesce(array_to_string(scopes, ' '), ''), plan, to_char(created at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  coalesce(to_char(expires at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
  coalesce(to_char(revoked at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
from millrace_auth.api_keys order by created, id
)sql";

Error no_such_role(const std::string& role) {
    return Error::of(Fault::database_error, "The login role may not act as '" + role + "', or there is no such role");
}

bool may_act_as(pqxx::work& transaction, const std::string& login_role, const std::string& role) {
    const auto row = transaction.exec_params1(
        "select coalesce((select pg_has_role(coalesce(nullif($1, '')::name, session_user), oid, 'member') "
        "from pg_roles where rolname = $2), false)",
        login_role, role);
    return row[0].as<bool>();
}

void let_read(pqxx::work& transaction, const std::string& login_role) {
    const std::string name = transaction.quote_name(login_role);
    transaction.exec0("grant usage on schema millrace_auth to " + name);
    transaction.exec0("grant select on millrace_auth.api_keys to " + name);
}

}  // namespace

Result<void> add_api_key(const std::string& url, const KeptApiKey& key, const std::string& hash,
                         const std::string& login_role) {
    bool acts = true;
    auto done = in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        acts = may_act_as(transaction, login_role, key.role);
        if (!acts) return;
        transaction.exec0("set local client_min_messages = warning");
        transaction.exec(layout);
        if (!login_role.empty()) let_read(transaction, login_role);
        transaction.exec_params0(insert, key.id, key.name, hash, key.role, key.scopes, key.plan, key.expires);
    });
    if (done && !acts) return no_such_role(key.role);
    return done;
}

Result<std::vector<KeptApiKey>> list_api_keys(const std::string& url) {
    std::vector<KeptApiKey> keys;
    auto done = in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        if (transaction.exec1("select to_regclass('millrace_auth.api_keys') is null")[0].as<bool>()) return;
        for (const auto& row : transaction.exec(select))
            keys.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].c_str(), row[4].c_str(), row[5].c_str(),
                            row[6].c_str(), row[7].c_str()});
    });
    if (!done) return std::move(done).error();
    return keys;
}

Result<bool> revoke_api_key(const std::string& url, const std::string& id) {
    bool there = false;
    auto done = in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        if (transaction.exec1("select to_regclass('millrace_auth.api_keys') is null")[0].as<bool>()) return;
        there =
            transaction.exec_params("update millrace_auth.api_keys set revoked = coalesce(revoked, now()) where id = $1", id)
                .affected_rows() > 0;
    });
    if (!done) return std::move(done).error();
    return there;
}

}  // namespace millrace::pg
