// The productions of the dialect's grammar. Each takes what it can at the cursor and says whether it fits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cursor.hpp"
#include "millrace/core/request.hpp"

namespace millrace::request {

inline constexpr std::size_t depth_max = 64;          // of select trees and of logic trees
inline constexpr std::size_t select_items_max = 500;  // in one select, embedded ones included
inline constexpr std::size_t filters_max = 500;       // in one request, those in logic trees included
inline constexpr std::size_t list_elements_max = 10'000;
inline constexpr std::size_t json_steps_max = 64;
inline constexpr std::size_t order_terms_max = 100;
inline constexpr std::size_t columns_max = 1'664;  // Postgres' own bound on the columns of a row (MaxTupleAttributeNumber)
inline constexpr std::size_t parameters_max = 1'000;

// An identifier as it stands in the text; made a string only when it is wanted.
struct Name {
    std::string_view raw;  // with its quotes when quoted
    bool quoted = false;

    [[nodiscard]] std::string text() const;
};

// What a value in a list or in a logic tree is: quoted with backslash escapes, or raw up to a delimiter.
struct Scalar {
    std::string_view raw;
    bool quoted = false;

    [[nodiscard]] std::string text() const;
};

bool identifier(Cursor& c, std::string_view& out);  // letters, digits, _ $ and blanks, trimmed
bool quoted(Cursor& c, std::string_view& out);      // with its quotes
bool name(Cursor& c, Name& out);
bool names(Cursor& c, std::vector<std::string>& out);  // a, b, "c"
bool json_path(Cursor& c, std::vector<JsonStep>& out);
bool field(Cursor& c, FieldPath& out);
bool tree_path(Cursor& c, EmbedPath& path, FieldPath& out);  // rel.sub.column->key
bool delimiter(Cursor& c);

bool select_items(Cursor& c, std::vector<SelectItem>& out);

// Where values end: a parameter's at the end of the text, a logic tree's at a comma or parenthesis.
enum class Ends : std::uint8_t { text, delimiter };
bool comparison_head(Cursor& c, Condition& out);  // not.eq(any).  up to and with the dot
bool comparison(Cursor& c, Condition& out, Ends ends);
bool scalar_element(Cursor& c, Scalar& out);

struct LogicBudget {
    std::size_t filters = 0;
};
bool logic_children(Cursor& c, Junction& out, LogicBudget& budget, std::size_t depth);

bool order_terms(Cursor& c, std::vector<OrderTerm>& out);

// Counts the conditions of a tree.
[[nodiscard]] std::size_t conditions_in(const FilterNode& node);

}  // namespace millrace::request
