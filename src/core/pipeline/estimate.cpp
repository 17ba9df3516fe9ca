// What a read would cost, as Postgres estimates it: asked beside the read, and held against what the route allows.
#include <cmath>
#include <nlohmann/json.hpp>

#include "allowed.hpp"
#include "marks.hpp"

namespace millrace::pipeline {

bool add_estimate(Work& work, const plan::Plan& plan, const sql::Session& session, std::size_t values) {
    if (work.policies().cost_max == 0 || work.script.writes) return true;
    sql::RenderOptions options{.form = work.shape.representation.form};
    options.form.explain = sql::Explain{.json = true};
    auto script = std::make_shared<sql::Script>(sql::render(plan, session, options));
    if (values > 0 && !place_slots(*script, values)) return false;
    work.estimate = std::move(script);
    return true;
}

std::optional<double> estimated_cost(const Work& work, const sql::Results& results) {
    using nlohmann::json;
    if (results.size() <= work.estimate->main || results[work.estimate->main].count() == 0) return std::nullopt;
    std::string text;
    const sql::Rows& lines = results[work.estimate->main];
    for (std::size_t row = 0; row < lines.count(); ++row) text += lines.at(row, 0);
    const json plans = json::parse(text, nullptr, false);
    static const json::json_pointer cost("/0/Plan/Total Cost");
    if (plans.is_discarded() || !plans.contains(cost) || !plans[cost].is_number()) return std::nullopt;
    return plans[cost].get<double>();
}

Result<void> check_cost(const Work& work, double cost) {
    const std::uint64_t most = work.policies().cost_max;
    if (cost <= static_cast<double>(most)) return {};
    return Error::of(Fault::too_costly)
        .with_details("Postgres estimates a cost of " + std::to_string(std::llround(cost)) + ", and the route allows " +
                      std::to_string(most))
        .with_hint("Ask for fewer rows, or filter by columns that have an index");
}

}  // namespace millrace::pipeline
