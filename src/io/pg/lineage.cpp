// Asks what a table descends from, as JSON, and reads the answer.
#include "lineage.hpp"

#include <nlohmann/json.hpp>

#include "millrace/core/catalog.hpp"

namespace millrace::pg {
namespace {

using Names = std::vector<std::string>;

std::string key_sql(const std::string& relation) {
    return "(select coalesce(json_agg(a.attname order by k.n), '[]') from pg_index i "
           "cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, n) "
           "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum "
           "where i.indisprimary and k.n <= i.indnkeyatts and i.indrelid = " +
           relation + ")";
}

}  // namespace

std::string lineage_sql(std::uint32_t relation) {
    const std::string oid = std::to_string(relation);
    return "with recursive line(oid) as (select inhparent from pg_inherits where inhrelid = " + oid +
           " union select i.inhparent from line join pg_inherits i on i.inhrelid = line.oid) "
           "select json_build_object("
           "'ancestors', (select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname, 'key', " +
           key_sql("line.oid") +
           ")), '[]') from line join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace), 'key', " +
           key_sql(oid) + ")";
}

std::optional<replication::Lineage> read_lineage(std::string_view cell) {
    const auto json = nlohmann::json::parse(cell, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    replication::Lineage lineage;
    lineage.primary_key = json.value("key", Names{});
    for (const auto& ancestor : json.value("ancestors", nlohmann::json::array())) {
        const auto tag = catalog::tag_of(ancestor.value("schema", ""), ancestor.value("name", ""));
        lineage.ancestors.push_back({tag, ancestor.value("key", Names{}) == lineage.primary_key});
    }
    return lineage;
}

}  // namespace millrace::pg
