// What both descriptions say of comments, keys and methods.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json_writer.hpp"
#include "millrace/core/openapi.hpp"

namespace millrace::openapi {

// A comment's first line, and what follows it.
struct Words {
    std::string_view summary, description;
};
[[nodiscard]] Words split_comment(std::string_view comment);
[[nodiscard]] inline Words words_of_schema(const Grants& grants) {
    return grants.comment ? split_comment(*grants.comment) : Words{};
}

// What a column refers to by a foreign key of its own, as far as the version shows it.
struct ForeignColumn {
    std::string_view resource, column;
};
[[nodiscard]] std::optional<ForeignColumn> foreign_column(const routes::Resource& resource, const routes::ApiColumn& column);
[[nodiscard]] bool is_key(const routes::Resource& resource, const routes::ApiColumn& column);

[[nodiscard]] bool allows(const routes::ResolvedPolicies& policies, message::Method method);

// Columns that every row has: computed ones are there when they are asked for.
[[nodiscard]] inline bool is_plain(const routes::ApiColumn& column) { return !column.column->computed; }

// The default of a column as JSON, when it is a constant that JSON can say.
[[nodiscard]] std::optional<std::string> default_json(const catalog::Column& column, std::string_view type);

// May a GET call it?
[[nodiscard]] inline bool is_readable(const catalog::Function& function) {
    return function.volatility != catalog::Volatility::is_volatile;
}

}  // namespace millrace::openapi
