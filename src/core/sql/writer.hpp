// A statement's text and its parameters as they grow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/sql.hpp"

namespace millrace::sql {

// A name of a relation inside one statement: t0, j3. Letters tell what it is: t table, j junction, e embed as a lateral join,
// x rows before they are aggregated, o joined only to order by.
struct Alias {
    char letter = 't';
    unsigned number = 0;
};
constexpr Alias root_alias{'t', 0};

// Rows of a CTE have no type that a function could take, so where one is called each carries the relation's row in a column.
constexpr std::string_view carried_row = "pgrst_row";

class Writer {
public:
    Writer();

    Writer& operator<<(std::string_view sql) {
        statement_.text += sql;
        return *this;
    }
    Writer& operator<<(char sql) {
        statement_.text += sql;
        return *this;
    }
    Writer& operator<<(Alias alias);

    // The alias is written as this name from now on.
    void call(Alias alias, std::string_view name);

    Writer& number(std::uint64_t value);
    Writer& identifier(std::string_view name);             // quoted
    Writer& relation(const catalog::Relation& relation);   // "schema"."name"
    Writer& column(Alias alias, std::string_view name);    // t0."name"
    Writer& routine(const catalog::RoutineName& routine);  // "schema"."name"
    Writer& row(Alias alias);                              // the whole row, of its relation's type
    void carry_root_row() { root_is_carried_ = true; }     // from here on the root's rows are those of a CTE
    Writer& parameter(std::string value);                  // $n
    Writer& parameter(std::int64_t value);                 // $n::bigint
    Writer& parameter_again(std::size_t n);                // one that is there already
    [[nodiscard]] std::size_t parameters() const { return statement_.parameters.size(); }

    // Ends the statement.
    [[nodiscard]] Statement take();

private:
    Statement statement_;
    Alias called_{};
    std::string_view called_name_;
    bool root_is_carried_ = false;
};

// {"a","b"}: Postgres' array literal of these values.
[[nodiscard]] std::string array_literal(const std::vector<std::string>& values);

}  // namespace millrace::sql
