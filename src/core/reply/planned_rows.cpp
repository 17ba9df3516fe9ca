// Reads the estimate out of EXPLAIN's JSON.
#include "planned_rows.hpp"

#include <nlohmann/json.hpp>

namespace millrace::reply {

std::optional<std::int64_t> planned_rows(const sql::Rows& explained) {
    using nlohmann::json;
    if (explained.count() == 0) return std::nullopt;
    const json plans = json::parse(explained.at(0, 0), nullptr, false);
    static const json::json_pointer estimate("/0/Plan/Plan Rows");
    if (plans.is_discarded() || !plans.contains(estimate) || !plans[estimate].is_number_integer()) return std::nullopt;
    return plans[estimate].get<std::int64_t>();
}

}  // namespace millrace::reply
