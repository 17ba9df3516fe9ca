// How the values of a route table's keys are read, and the JSON Schemas that many of them share.
#pragma once

#include "reader.hpp"

namespace millrace::routes {

inline constexpr std::string_view whole_number = R"({"type": "integer", "minimum": 0})";
inline constexpr std::string_view positive_number = R"({"type": "integer", "minimum": 1})";
inline constexpr std::string_view boolean = R"({"type": "boolean"})";
inline constexpr std::string_view text_schema = R"({"type": "string"})";
inline constexpr std::string_view name_schema = R"({"type": "string", "minLength": 1})";
inline constexpr std::string_view names_schema = R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true})";
inline constexpr std::string_view date_schema =
    R"({"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(Z|[+-]\\d{2}:\\d{2}))?$"})";

// Fields that are a value of their owner, read as what they are.
template <auto Member, class T>
void plain(Reader& reader, const Place& place, T& out) {
    reader.read(place, out.*Member);
}

template <auto Member, class T>
void optional_number(Reader& reader, const Place& place, T& out) {
    std::uint64_t number = 0;
    if (reader.read(place, number)) out.*Member = number;
}

template <auto Member, class T>
void positive(Reader& reader, const Place& place, T& out) {
    std::uint64_t number = 0;
    if (!reader.read(place, number)) return;
    if (number == 0) return reader.problem(place.path, "must be at least 1");
    out.*Member = number;
}

template <auto Member, class T>
void date(Reader& reader, const Place& place, T& out) {
    reader.read_date(place, out.*Member);
}

template <auto Member, class T>
void name_set(Reader& reader, const Place& place, T& out) {
    std::vector<std::string> names;
    if (reader.read(place, names)) out.*Member = {names.begin(), names.end()};
}

}  // namespace millrace::routes
