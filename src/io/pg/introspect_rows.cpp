// Reads cells of pg_catalog, and what domains and enums say of the columns that have them.
#include "introspect_rows.hpp"

#include <algorithm>

#include "introspect_function_queries.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pg {
namespace {

using catalog::TypeCategory;

bool is_media_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

// PostgREST, "Media Type Handlers": type/subtype, and "+suffix" in the latter; or */*.
bool is_media_type(std::string_view name) {
    if (name == "*/*") return true;
    const auto slash = name.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) return false;
    return std::ranges::all_of(name.substr(0, slash), is_media_character) &&
           std::ranges::all_of(name.substr(slash + 1), [](char c) { return c == '+' || is_media_character(c); });
}

std::optional<std::int32_t> length_of(std::uint32_t base_type, int modifier) {
    constexpr std::uint32_t bpchar = 1042, varchar = 1043;
    constexpr int header = 4;  // VARHDRSZ, which their modifiers count
    if ((base_type != bpchar && base_type != varchar) || modifier < header) return std::nullopt;
    return modifier - header;
}

}  // namespace

std::string array_text(const std::vector<std::string>& items) {
    std::string out = "{";
    for (const std::string& item : items) {
        if (out.size() > 1) out += ',';
        out += '"';
        for (const char c : item) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out += '}';
}

std::string array_text(const std::vector<std::uint32_t>& oids) {
    std::string out = "{";
    for (const std::uint32_t one : oids) {
        if (out.size() > 1) out += ',';
        out += std::to_string(one);
    }
    return out += '}';
}

std::uint32_t oid(const pqxx::row& row, const char* column) { return row[column].as<std::uint32_t>(); }
std::string text_of(const pqxx::row& row, const char* column) { return row[column].as<std::string>(); }
bool flag(const pqxx::row& row, const char* column) { return row[column].as<bool>(); }

std::vector<std::string> items_of(const pqxx::field& field) {
    std::vector<std::string> items;
    if (field.is_null()) return items;
    pqxx::array_parser parser = field.as_array();
    for (auto [juncture, item] = parser.get_next(); juncture != pqxx::array_parser::juncture::done;
         std::tie(juncture, item) = parser.get_next())
        if (juncture == pqxx::array_parser::juncture::string_value) items.push_back(item);
    return items;
}

std::vector<std::pair<std::string, std::string>> settings_of(const pqxx::field& field) {
    std::vector<std::pair<std::string, std::string>> settings;
    for (const std::string& entry : items_of(field)) {
        const auto equals = std::min(entry.find('='), entry.size());
        settings.emplace_back(entry.substr(0, equals), entry.substr(std::min(equals + 1, entry.size())));
    }
    return settings;
}

catalog::Volatility volatility_of(const pqxx::row& row) {
    const std::string letter = text_of(row, "volatility");
    if (letter == "i") return catalog::Volatility::immutable;
    return letter == "s" ? catalog::Volatility::stable : catalog::Volatility::is_volatile;
}

TypeCategory category_of(const pqxx::row& row) {
    switch (text_of(row, "category").front()) {
        case 'A':
            return TypeCategory::array;
        case 'C':
            return TypeCategory::composite;
        case 'B':
            return TypeCategory::boolean;
        case 'N':
            return TypeCategory::number;
        case 'S':
            return TypeCategory::text;
        case 'D':
        case 'T':
            return TypeCategory::time;
        default:
            return TypeCategory::other;
    }
}

catalog::RoutineName routine_of(const pqxx::row& row) {
    return {text_of(row, "schema"), text_of(row, "name"), volatility_of(row)};
}

void Types::read(pqxx::transaction_base& transaction) {
    for (const pqxx::row& row : transaction.exec(queries::types)) {
        NamedType type;
        type.base = oid(row, "base");
        type.name = text_of(row, "name");
        type.not_null = flag(row, "not_null");
        type.has_fallback = !row["fallback"].is_null();
        if (type.has_fallback) type.fallback = text_of(row, "fallback");
        type.modifier = row["type_modifier"].as<int>();
        type.labels = items_of(row["labels"]);
        named_.emplace(oid(row, "oid"), std::move(type));
    }
    for (const pqxx::row& row : transaction.exec(queries::representations)) {
        const auto found = named_.find(oid(row, "domain"));
        if (found == named_.end()) continue;
        catalog::Representation& represented = found->second.represented;
        const std::string way = text_of(row, "way");
        (way == "to_json"     ? represented.to_json
         : way == "from_json" ? represented.from_json
                              : represented.from_text) = routine_of(row);
    }
}

std::uint32_t Types::base_of(std::uint32_t type) const {
    const auto found = named_.find(type);
    return found == named_.end() ? type : found->second.base;
}

catalog::Column Types::column_of(const pqxx::row& row) const {
    catalog::Column column;
    column.name = text_of(row, "name");
    column.type = text_of(row, "type");
    column.type_oid = oid(row, "type_oid");
    column.category = category_of(row);
    column.base_type_oid = base_of(column.type_oid);
    const auto found = named_.find(column.type_oid);
    if (found == named_.end()) return column;
    column.enum_values = found->second.labels;
    const catalog::Representation& represented = found->second.represented;
    if (represented.to_json || represented.from_json || represented.from_text) column.represented = represented;
    return column;
}

catalog::Column Types::stored_column_of(const pqxx::row& row) const {
    catalog::Column column = column_of(row);
    column.position = row["position"].as<int>();
    column.nullable = !flag(row, "not_null");
    column.has_default = flag(row, "has_default");
    if (!row["fallback"].is_null()) column.default_expression = text_of(row, "fallback");
    column.generated = flag(row, "generated");
    column.comment = text_of(row, "comment");
    int modifier = row["type_modifier"].as<int>();
    if (const auto found = named_.find(column.type_oid); found != named_.end()) {
        const NamedType& type = found->second;
        column.nullable &= !type.not_null;
        if (type.has_fallback && !column.has_default) column.default_expression = type.fallback;
        column.has_default |= type.has_fallback;
        if (modifier < 0) modifier = type.modifier;
    }
    column.length_max = length_of(column.base_type_oid, modifier);
    return column;
}

std::string Types::media_type(std::uint32_t type) const {
    const auto found = named_.find(type);
    if (found == named_.end() || found->second.base == type) return {};
    std::string name = text::lower(found->second.name);
    return is_media_type(name) ? name : std::string();
}

std::vector<std::uint32_t> Types::media_types() const {
    std::vector<std::uint32_t> oids;
    for (const auto& [type, facts] : named_)
        if (!media_type(type).empty()) oids.push_back(type);
    return oids;
}

}  // namespace millrace::pg
