// The questions that introspection asks of what is set for roles and for the server.
#pragma once

namespace millrace::pg::queries {

// Settings of roles that the login role may become, as far as it may set them; those for this database go before others.
inline constexpr const char* role_settings = R"(
select distinct on (role, name) r.rolname as role, k.name, k.value
from pg_auth_members m join pg_roles r on r.oid = m.roleid
  join pg_db_role_setting s on s.setrole = r.oid
    and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  cross join lateral unnest(s.setconfig) as c(entry)
  cross join lateral (
    select substr(c.entry, 1, strpos(c.entry, '=') - 1), substr(c.entry, strpos(c.entry, '=') + 1)) as k(name, value)
  join pg_settings g on g.name = k.name
where m.member = (select oid from pg_roles where rolname = current_user) and (g.context = 'user')";
inline constexpr const char* or_granted = " or has_parameter_privilege(current_user, g.name, 'set')";  // since Postgres 15
inline constexpr const char* role_settings_end = ") order by role, name, s.setdatabase desc";

inline constexpr const char* timezones = "select name from pg_timezone_names order by name collate \"C\"";

// $1 schemas, in their order.
inline constexpr const char* schema_comment =
    "select coalesce((select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = ($1::text[])[1]), '')";

}  // namespace millrace::pg::queries
