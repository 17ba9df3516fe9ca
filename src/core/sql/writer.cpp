// Appends the atoms of SQL: quoted identifiers, aliases, parameters.
#include "writer.hpp"

#include <array>
#include <charconv>

#include "millrace/core/text.hpp"

namespace millrace::sql {
namespace {

constexpr std::size_t text_bytes_usual = 1024;
constexpr std::size_t parameters_usual = 8;

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

}  // namespace

Writer::Writer() {
    statement_.text.reserve(text_bytes_usual);
    statement_.parameters.reserve(parameters_usual);
}

void Writer::call(Alias alias, std::string_view name) {
    called_ = alias;
    called_name_ = name;
}

Writer& Writer::operator<<(Alias alias) {
    if (!called_name_.empty() && alias.letter == called_.letter && alias.number == called_.number)
        return identifier(called_name_);
    statement_.text += alias.letter;
    append_number(statement_.text, alias.number);
    return *this;
}

Writer& Writer::number(std::uint64_t value) {
    append_number(statement_.text, value);
    return *this;
}

Writer& Writer::identifier(std::string_view name) {
    std::string& out = statement_.text;
    out += '"';
    if (name.find('"') == std::string_view::npos) {
        out += name;
    } else {
        for (const char c : name) out.append(c == '"' ? 2 : 1, c);
    }
    out += '"';
    return *this;
}

Writer& Writer::relation(const catalog::Relation& relation) {
    return identifier(relation.schema).operator<<('.').identifier(relation.name);
}

Writer& Writer::column(Alias alias, std::string_view name) {
    *this << alias << '.';
    return identifier(name);
}

Writer& Writer::routine(const catalog::RoutineName& routine) {
    return identifier(routine.schema).operator<<('.').identifier(routine.name);
}

Writer& Writer::row(Alias alias) {
    const bool carried = root_is_carried_ && alias.letter == root_alias.letter && alias.number == root_alias.number;
    return carried ? column(alias, carried_row) : *this << alias;
}

Writer& Writer::parameter(std::string value) {
    statement_.parameters.emplace_back(std::move(value));
    return parameter_again(statement_.parameters.size());
}

Writer& Writer::parameter(std::int64_t value) { return parameter(std::to_string(value)) << "::bigint"; }

Writer& Writer::parameter_again(std::size_t n) {
    *this << '$';
    return number(n);
}

Statement Writer::take() {
    statement_.shape = text::hash64(statement_.text);
    return std::move(statement_);
}

std::string array_literal(const std::vector<std::string>& values) {
    std::string out = "{";
    for (const std::string& value : values) {
        out += out.size() == 1 ? "\"" : ",\"";
        for (const char c : value) {
            if (c == '\0') break;  // no text of Postgres holds it, and it would end the whole parameter
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out += '}';
}

}  // namespace millrace::sql
