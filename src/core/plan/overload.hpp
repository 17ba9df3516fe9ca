// Which of a function's overloads a call means, and the errors when none or more than one fits.
#pragma once

#include <set>
#include <string>

#include "millrace/core/plan.hpp"

namespace millrace::plan {

// What a call says that tells overloads apart.
struct CallShape {
    std::set<std::string> names;    // of the arguments
    std::string_view content_type;  // of the body of a POST; empty: JSON
    bool safe = false;              // GET, HEAD

    [[nodiscard]] bool posts_json() const { return !safe && (content_type.empty() || content_type == "application/json"); }
    // The type of the one parameter that takes a body of this content type whole; empty: arguments go by name.
    [[nodiscard]] std::string_view body_type() const;
};

// Fails with no_function or ambiguous_function.
[[nodiscard]] Result<const routes::Overload*> find_overload(const CallShape& shape, const routes::ApiCatalog& api,
                                                            const routes::ApiFunction& function);

[[nodiscard]] Error no_such_function(const CallShape& shape, const routes::ApiCatalog& api,
                                     const routes::ApiFunction& function);
[[nodiscard]] Error ambiguous_call(const routes::ApiCatalog& api, const routes::ApiFunction& function,
                                   const std::vector<const routes::Overload*>& found);

}  // namespace millrace::plan
