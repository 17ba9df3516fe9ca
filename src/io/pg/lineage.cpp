// Asks what a table descends from, as JSON, and reads the answer.
#include "lineage.hpp"

#include <nlohmann/json.hpp>

#include "millrace/core/catalog.hpp"

namespace millrace::pg {

std::string lineage_sql(std::uint32_t relation) {
    const std::string oid = std::to_string(relation);
    return "with recursive line(oid) as (select inhparent from pg_inherits where inhrelid = " + oid +
           " union select i.inhparent from line join pg_inherits i on i.inhrelid = line.oid) "
           "select json_build_object("
           "'ancestors', (select coalesce(json_agg(json_build_array(n.nspname, c.relname)), '[]') from line "
           "join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace), "
           "'key', (select coalesce(json_agg(a.attname order by k.n), '[]') from pg_index i "
           "cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, n) "
           "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum "
           "where i.indisprimary and k.n <= i.indnkeyatts and i.indrelid = " +
           oid + "))";
}

std::optional<replication::Lineage> read_lineage(std::string_view cell) {
    const auto json = nlohmann::json::parse(cell, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    replication::Lineage lineage;
    for (const auto& [schema, name] : json.value("ancestors", std::vector<std::pair<std::string, std::string>>{}))
        lineage.ancestors.push_back(catalog::tag_of(schema, name));
    lineage.primary_key = json.value("key", std::vector<std::string>{});
    return lineage;
}

}  // namespace millrace::pg
