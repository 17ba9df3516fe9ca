// The table of types: what OpenAPI 2.0 and JSON Schema call those of Postgres.
#include "types.hpp"

#include <algorithm>
#include <array>

#include "millrace/core/text.hpp"

namespace millrace::openapi {
namespace {

constexpr std::array type_rows = {
    TypeRow{"bigint", "integer", "int64", "integer", "int64"},
    TypeRow{"boolean", "boolean", "", "boolean", ""},
    TypeRow{"date", "string", "", "string", "date"},
    TypeRow{"double precision", "number", "", "number", "double"},
    TypeRow{"integer", "integer", "int32", "integer", "int32"},
    TypeRow{"json", "", "", "", ""},
    TypeRow{"jsonb", "", "", "", ""},
    TypeRow{"numeric", "number", "", "number", ""},
    TypeRow{"oid", "string", "", "integer", "int64"},
    TypeRow{"real", "number", "", "number", "float"},
    TypeRow{"smallint", "integer", "int32", "integer", "int32"},
    TypeRow{"timestamp with time zone", "string", "", "string", "date-time"},
    TypeRow{"uuid", "string", "", "string", "uuid"},
};
constexpr TypeRow any_string{"", "string", "", "string", ""};

// Object identifiers of the system's types never change; a domain brings that of its base type and no name.
struct BaseType {
    std::uint32_t oid;
    std::string_view name;
};
constexpr std::array base_types = {
    BaseType{16, "boolean"},
    BaseType{17, "bytea"},
    BaseType{20, "bigint"},
    BaseType{21, "smallint"},
    BaseType{23, "integer"},
    BaseType{25, "text"},
    BaseType{26, "oid"},
    BaseType{114, "json"},
    BaseType{142, "xml"},
    BaseType{199, "json[]"},
    BaseType{600, "point"},
    BaseType{650, "cidr"},
    BaseType{700, "real"},
    BaseType{701, "double precision"},
    BaseType{790, "money"},
    BaseType{829, "macaddr"},
    BaseType{869, "inet"},
    BaseType{1000, "boolean[]"},
    BaseType{1001, "bytea[]"},
    BaseType{1005, "smallint[]"},
    BaseType{1007, "integer[]"},
    BaseType{1009, "text[]"},
    BaseType{1014, "character[]"},
    BaseType{1015, "character varying[]"},
    BaseType{1016, "bigint[]"},
    BaseType{1021, "real[]"},
    BaseType{1022, "double precision[]"},
    BaseType{1042, "character"},
    BaseType{1043, "character varying"},
    BaseType{1082, "date"},
    BaseType{1083, "time without time zone"},
    BaseType{1114, "timestamp without time zone"},
    BaseType{1115, "timestamp without time zone[]"},
    BaseType{1182, "date[]"},
    BaseType{1184, "timestamp with time zone"},
    BaseType{1185, "timestamp with time zone[]"},
    BaseType{1186, "interval"},
    BaseType{1231, "numeric[]"},
    BaseType{1266, "time with time zone"},
    BaseType{1560, "bit"},
    BaseType{1562, "bit varying"},
    BaseType{1700, "numeric"},
    BaseType{2950, "uuid"},
    BaseType{2951, "uuid[]"},
    BaseType{3614, "tsvector"},
    BaseType{3615, "tsquery"},
    BaseType{3802, "jsonb"},
    BaseType{3807, "jsonb[]"},
    BaseType{3904, "int4range"},
    BaseType{3906, "numrange"},
    BaseType{3908, "tsrange"},
    BaseType{3910, "tstzrange"},
    BaseType{3912, "daterange"},
    BaseType{3926, "int8range"},
};

// "timestamp(3) with time zone" → "timestamp with time zone", "numeric(10,2)[]" → "numeric[]".
std::string without_modifier(std::string_view type) {
    if (type.starts_with("interval")) return is_array(type) ? "interval[]" : "interval";
    const std::size_t open = type.find('('), close = type.find(')', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::string(type);
    return std::string(type.substr(0, open)) + std::string(type.substr(close + 1));
}

}  // namespace

const TypeRow& type_row(std::string_view name) {
    const auto found = std::ranges::lower_bound(type_rows, name, {}, &TypeRow::name);
    return found == type_rows.end() || found->name != name ? any_string : *found;
}

bool is_built_in(std::string_view name) { return name.find('.') == std::string_view::npos; }

std::string data_type(const catalog::Column& column) {
    if (column.type_oid != column.base_type_oid) {
        const auto base = std::ranges::lower_bound(base_types, column.base_type_oid, {}, &BaseType::oid);
        const bool known = base != base_types.end() && base->oid == column.base_type_oid;
        return known ? std::string(base->name) : column.type;
    }
    return is_built_in(column.type) ? without_modifier(column.type) : column.type;
}

std::string_view without_schema(std::string_view type, std::string_view schema) {
    for (const std::string& prefix : {std::string(schema), text::quote_identifier(schema)})
        if (type.size() > prefix.size() && type.starts_with(prefix) && type[prefix.size()] == '.')
            return type.substr(prefix.size() + 1);
    return type;
}

}  // namespace millrace::openapi
