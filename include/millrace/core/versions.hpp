// What a client of one version meets in another: two route tables laid over their catalogs, compared name by name.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/routes.hpp"

namespace millrace::versions {

struct Finding {
    bool breaks = false;  // what a client did before is refused now, or its answer looks different
    std::string where;    // "items", "items.title", "rpc/top"
    std::string what;
};

// Breaks first; each half in the order of names. What lies behind an HTTP service is not seen.
[[nodiscard]] std::vector<Finding> compare(const routes::ApiCatalog& older, const routes::ApiCatalog& newer);
[[nodiscard]] std::string to_line(const Finding& finding);  // "breaks  items.title: the column is gone"

}  // namespace millrace::versions
