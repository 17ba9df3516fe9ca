// The grammar of type names in casts.
#pragma once

#include <string_view>

namespace millrace::plan {

// Words and quoted identifiers, dots, type modifiers made of numbers, array brackets: "numeric(10,2)", "double precision",
// "shop.\"Mood\"[]". A cast is the only text of a request that stands in SQL as it was written, so nothing else may pass.
[[nodiscard]] bool is_type_name(std::string_view text);

}  // namespace millrace::plan
