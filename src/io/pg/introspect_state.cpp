// What the control plane compares from time to time: a few words over everything that may change without anybody telling.
#include "introspect_state.hpp"

#include "introspect_queries.hpp"
#include "introspect_rows.hpp"
#include "introspect_session.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

// Rows are told apart by what wrote them (xmin), but those of pg_class by their columns: TRUNCATE and VACUUM write them too.
// Temporary tables come and go and are nobody else's.
constexpr const char* schema_state = R"(
with known as materialized (
  select oid, relname, relnamespace, relkind, relrowsecurity, relforcerowsecurity, relispartition, relowner, relacl, reloptions
  from pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and relpersistence <> 't' and oid >= 16384
), rows(of) as (
  select k::text from known k
  union all select concat('attribute', a.attrelid, ',', a.attnum, ',', a.xmin) from pg_attribute a join known k on k.oid = a.attrelid
  union all select concat('default', d.oid, ',', d.xmin) from pg_attrdef d join known k on k.oid = d.adrelid
  union all select concat('policy', oid, ',', xmin) from pg_policy
  union all select concat('rule', r.oid, ',', r.xmin) from pg_rewrite r join known k on k.oid = r.ev_class
  union all select concat('trigger', t.oid, ',', t.xmin) from pg_trigger t join known k on k.oid = t.tgrelid
  union all select concat('constraint', c.oid, ',', c.xmin) from pg_constraint c join known k on k.oid = c.conrelid
  union all select concat('inherits', i.inhrelid, ',', i.inhparent) from pg_inherits i join known k on k.oid = i.inhrelid
  union all select concat('function', oid, ',', xmin) from pg_proc where oid >= 16384
  union all select concat('type', oid, ',', xmin) from pg_type where typtype in ('d', 'e') and oid >= 16384
  union all select concat('label', oid, ',', xmin) from pg_enum
  union all select concat('cast', oid, ',', xmin) from pg_cast where oid >= 16384
  union all select concat('schema', oid, ',', xmin) from pg_namespace where nspname !~ '^pg_(toast_)?temp_'
  union all select concat('comment', d.objoid, ',', d.objsubid, ',', d.xmin) from pg_description d where d.objoid >= 16384
) select count(*) || ':' || coalesce(sum(hashtextextended(of, 0)), 0) from rows)";

constexpr const char* roles_state = R"(
with rows(of) as (
  select concat('role', oid, ',', rolname, ',', rolsuper, ',', rolinherit, ',', rolbypassrls) from pg_roles
  union all select concat('member', roleid, ',', member, ',', admin_option) from pg_auth_members
  union all select concat('setting', setdatabase, ',', setrole, ',', setconfig) from pg_db_role_setting
  union all select concat('event', oid, ',', evtenabled) from pg_event_trigger
) select count(*) || ':' || coalesce(sum(hashtextextended(of, 0)), 0) from rows)";

// REFRESH gives a new file, and CONCURRENTLY changes rows, which is counted, though as late as statistics are written (10 s).
constexpr const char* refreshed_state = R"(
select n.nspname as schema, c.relname as name,
       concat(c.oid, ',', pg_relation_filenode(c.oid), ',', pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
              + pg_stat_get_tuples_deleted(c.oid)) as state
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm' and c.oid >= 16384
order by n.nspname, c.relname)";

}  // namespace

catalog::State read_state(pqxx::transaction_base& transaction) {
    catalog::State state;
    state.snapshot = transaction.exec("select pg_current_snapshot()::text")[0][0].as<std::string>();
    state.schema = transaction.exec(schema_state)[0][0].as<std::string>();
    state.roles = transaction.exec(roles_state)[0][0].as<std::string>();
    for (const pqxx::row& row : transaction.exec(refreshed_state))
        state.refreshed.emplace_back(catalog::tag_of(text_of(row, "schema"), text_of(row, "name")), text_of(row, "state"));
    return state;
}

Result<catalog::State> read_state(const std::string& url) {
    catalog::State state;
    auto done = in_transaction(url, Fault::catalog_unavailable, [&](pqxx::work& transaction) {
        transaction.exec(queries::begin);
        state = read_state(transaction);
    });
    if (!done) return std::move(done).error();
    return state;
}

}  // namespace millrace::pg
