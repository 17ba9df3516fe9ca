// Decides by type whether the worker can make a cell's text into JSON, and how; the rule is what to_json() would print.
#include "cells.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "millrace/core/text.hpp"

namespace millrace::sql {
namespace {

using request::Aggregate;

// Object identifiers of the built-in types are fixed (src/include/catalog/pg_type.dat).
std::optional<CellKind> kind_of_oid(std::uint32_t oid) {
    switch (oid) {
        case 16:  // bool
            return CellKind::boolean;
        case 20:    // int8
        case 21:    // int2
        case 23:    // int4
        case 114:   // json
        case 3802:  // jsonb
            return CellKind::json;
        case 700:   // float4
        case 701:   // float8
        case 1700:  // numeric
            return CellKind::number;
        case 17:    // bytea
        case 18:    // "char"
        case 19:    // name
        case 25:    // text
        case 142:   // xml
        case 790:   // money
        case 1042:  // bpchar
        case 1043:  // varchar
        case 3614:  // tsvector
        case 3615:  // tsquery
            return CellKind::text;
        case 26:    // oid
        case 650:   // cidr
        case 774:   // macaddr8
        case 829:   // macaddr
        case 869:   // inet
        case 1082:  // date
        case 1083:  // time
        case 1186:  // interval
        case 1266:  // timetz
        case 1560:  // bit
        case 1562:  // varbit
        case 2950:  // uuid
            return CellKind::plain;
        case 1114:
            return CellKind::timestamp;
        case 1184:
            return CellKind::timestamptz;
    }
    return std::nullopt;
}

struct NamedKind {
    std::string_view name;
    CellKind kind;
};
constexpr std::array named_kinds = {
    NamedKind{"text", CellKind::text},
    NamedKind{"varchar", CellKind::text},
    NamedKind{"character varying", CellKind::text},
    NamedKind{"char", CellKind::text},
    NamedKind{"character", CellKind::text},
    NamedKind{"bpchar", CellKind::text},
    NamedKind{"name", CellKind::text},
    NamedKind{"int", CellKind::json},
    NamedKind{"integer", CellKind::json},
    NamedKind{"int2", CellKind::json},
    NamedKind{"int4", CellKind::json},
    NamedKind{"int8", CellKind::json},
    NamedKind{"smallint", CellKind::json},
    NamedKind{"bigint", CellKind::json},
    NamedKind{"json", CellKind::json},
    NamedKind{"jsonb", CellKind::json},
    NamedKind{"numeric", CellKind::number},
    NamedKind{"decimal", CellKind::number},
    NamedKind{"float4", CellKind::number},
    NamedKind{"float8", CellKind::number},
    NamedKind{"float", CellKind::number},
    NamedKind{"real", CellKind::number},
    NamedKind{"double precision", CellKind::number},
    NamedKind{"bool", CellKind::boolean},
    NamedKind{"boolean", CellKind::boolean},
    NamedKind{"uuid", CellKind::plain},
    NamedKind{"date", CellKind::plain},
    NamedKind{"time", CellKind::plain},
    NamedKind{"interval", CellKind::plain},
    NamedKind{"timestamp", CellKind::timestamp},
    NamedKind{"timestamptz", CellKind::timestamptz},
};

CellType type_of_oid(std::uint32_t oid) {
    const auto kind = kind_of_oid(oid);
    return kind ? CellType{*kind, false} : CellType{CellKind::json, true};
}

// What an aggregate gives is another type than what goes in, save for min and max.
CellType aggregate_type(Aggregate aggregate, CellType of) {
    switch (aggregate) {
        case Aggregate::none:
        case Aggregate::min:
        case Aggregate::max:
            return of;
        case Aggregate::count:
            return {CellKind::json, false};
        case Aggregate::sum:
        case Aggregate::avg:
            break;
    }
    // Of integers and numbers; of intervals and money it is none, so there Postgres makes the JSON.
    return {CellKind::json, true};
}

}  // namespace

CellType cell_type(const catalog::Column& column) {
    if (!column.enum_values.empty()) return {CellKind::text, false};
    return type_of_oid(column.base_type_oid != 0 ? column.base_type_oid : column.type_oid);
}

CellType cast_type(std::string_view type_name) {
    const std::string name = text::lower(text::trim(type_name.substr(0, type_name.find('('))));
    const bool plain = type_name.find('(') == std::string_view::npos || type_name.back() == ')';  // "varchar(3)[]" is not
    const auto* row = std::ranges::find(named_kinds, name, &NamedKind::name);
    if (!plain || row == named_kinds.end()) return {CellKind::json, true};
    return {row->kind, false};
}

const catalog::RoutineName* json_function(const plan::OutputColumn& output) {
    if (output.field.column == nullptr || !output.field.json.empty() || !output.field.column->represented) return nullptr;
    const auto& function = output.field.column->represented->to_json;
    return function ? &*function : nullptr;
}

CellType output_type(const plan::OutputColumn& output) {
    if (!output.aggregate_cast.empty()) return cast_type(output.aggregate_cast);
    if (!output.cast.empty()) return aggregate_type(output.aggregate, cast_type(output.cast));
    if (output.field.column == nullptr) return {CellKind::json, false};  // count()
    if (json_function(output) != nullptr) return aggregate_type(output.aggregate, {CellKind::json, true});
    if (output.field.json.empty()) return aggregate_type(output.aggregate, cell_type(*output.field.column));
    const CellKind kind = output.field.json.back().as_text ? CellKind::text : CellKind::json;
    return aggregate_type(output.aggregate, {kind, false});
}

}  // namespace millrace::sql
