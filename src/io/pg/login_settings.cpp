// Settings of an application that a database keeps for its login role.
#include <map>

#include "introspect_session.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

// $1 the prefix. Those of this database come last, and win.
constexpr const char* of_role = R"(
select split_part(s.setting, '=', 1) as name, substr(s.setting, strpos(s.setting, '=') + 1) as value
from pg_db_role_setting r cross join lateral unnest(r.setconfig) as s(setting)
where r.setrole = (select oid from pg_roles where rolname = current_user)
  and r.setdatabase in (0, (select oid from pg_database where datname = current_catalog)) and starts_with(s.setting, $1)
order by r.setdatabase <> 0)";

constexpr const char* of_session = "select name, setting as value from pg_settings where starts_with(name, $1)";

std::string call_of(const std::string& function) {
    const auto dot = function.find('.');
    if (dot == std::string::npos) return "select " + text::quote_identifier(function) + "()";
    return "select " + text::quote_identifier(function.substr(0, dot)) + "." +
           text::quote_identifier(function.substr(dot + 1)) + "()";
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> read_login_settings(const std::string& url, const std::string& prefix,
                                                                             const std::string& pre_config) {
    std::map<std::string, std::string> found;
    auto done = in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        const auto add = [&](const char* query) {
            for (const pqxx::row& row : transaction.exec_params(query, prefix))
                found[row["name"].as<std::string>().substr(prefix.size())] = row["value"].as<std::string>();
        };
        if (!pre_config.empty()) {
            transaction.exec(call_of(pre_config));
            add(of_session);
        }
        add(of_role);
    });
    if (!done) return std::move(done).error();
    return std::vector<std::pair<std::string, std::string>>(found.begin(), found.end());
}

}  // namespace millrace::pg
