// What two looks at a database tell of what happened between them.
#include <algorithm>

#include "millrace/core/catalog.hpp"

namespace millrace::catalog {

Difference difference(const State& known, const State& now, bool ddl_watched) {
    Difference out;
    out.anything = known.roles != now.roles || (!ddl_watched && known.schema != now.schema);
    if (ddl_watched) return out;
    for (const auto& [view, state] : now.refreshed) {
        const auto before = std::ranges::find(known.refreshed, view, [](const auto& each) { return each.first; });
        if (before != known.refreshed.end() && before->second != state) out.refreshed.push_back(view);
    }
    return out;
}

}  // namespace millrace::catalog
