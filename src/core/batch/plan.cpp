// Puts the scripts of operations behind each other, so that none of them sees that others were there.
#include <algorithm>
#include <iterator>

#include "millrace/core/batch.hpp"
#include "millrace/core/text.hpp"

namespace millrace::batch {
namespace {

constexpr std::string_view isolation = "SET TRANSACTION ISOLATION LEVEL ";

sql::Statement statement(std::string_view text, std::vector<std::optional<std::string>> parameters = {}) {
    return {std::string(text), std::move(parameters), text::hash64(text)};
}

// Only the first statement of a transaction may set it; the strictest that any operation wants is that of all.
bool sets_isolation(const sql::Script& script) { return script.statements.front().text.starts_with(isolation); }

std::optional<sql::Statement> strictest(const std::vector<Work>& works) {
    const auto rank = [](const sql::Statement& s) {
        return s.text.ends_with("serializable") ? 2 : s.text.ends_with("repeatable read") ? 1 : 0;
    };
    std::optional<sql::Statement> found;
    for (const Work& work : works) {
        const sql::Statement& first = work->script.statements.front();
        if (sets_isolation(work->script) && (!found || rank(first) > rank(*found))) found = first;
    }
    return found;
}

// What one says of its answer is not said of the next one's.
sql::Statement forget_outcome() {
    return statement(
        "SELECT pg_catalog.set_config('response.headers', '', true), pg_catalog.set_config('response.status', '', true)");
}

// A read may make its transaction one that only reads; with the end of a savepoint that is over (Postgres, SET TRANSACTION).
void append(Plan& plan, const sql::Script& script) {
    std::vector<sql::Statement>& all = plan.script.statements;
    if (!plan.parts.empty()) all.push_back(forget_outcome());
    if (!script.writes) all.push_back(statement("SAVEPOINT operation"));
    Plan::Part part;
    part.left_out = sets_isolation(script) ? 1 : 0;
    part.at = all.size();
    all.insert(all.end(), script.statements.begin() + static_cast<std::ptrdiff_t>(part.left_out), script.statements.end());
    if (!script.writes) all.push_back(statement("RELEASE SAVEPOINT operation"));
    plan.parts.push_back(part);
}

}  // namespace

Result<void> may_take_part(const pipeline::Work& work) {
    if (!work.script.rolls_back) return {};
    return Error::of(Fault::bad_batch).with_details("An operation of a batch cannot end its transaction by itself (tx=).");
}

Plan make_plan(std::vector<Work> works, std::optional<idempotency::Key> key, const std::string& role) {
    Plan plan;
    plan.key = key;
    plan.role = role;
    plan.script.writes = plan.script.in_block = true;
    std::vector<sql::Statement>& all = plan.script.statements;
    if (auto level = strictest(works)) all.push_back(std::move(*level));
    if (key) {
        auto first = idempotency::claim(*key);
        std::ranges::move(first, std::back_inserter(all));
        plan.script.claim = all.size() - 1;
        all.push_back(statement("SELECT pg_catalog.set_config('role', $1, true)", {role}));
    }
    for (const Work& work : works) append(plan, work->script);
    plan.script.main = plan.parts.back().at;
    plan.works = std::move(works);
    return plan;
}

std::optional<std::size_t> operation_at(const Plan& plan, std::size_t place) {
    if (place >= plan.script.statements.size()) return std::nullopt;
    const auto after = std::ranges::upper_bound(plan.parts, place, {}, &Plan::Part::at);
    if (after == plan.parts.begin()) return std::nullopt;
    return static_cast<std::size_t>(after - plan.parts.begin()) - 1;
}

sql::Results results_of(const Plan& plan, std::size_t operation, const sql::Results& results) {
    const Plan::Part& part = plan.parts[operation];
    const std::size_t count = plan.works[operation]->script.statements.size() - part.left_out;
    sql::Results own(part.left_out);
    const auto begin = results.begin() + static_cast<std::ptrdiff_t>(part.at);
    own.insert(own.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
    return own;
}

}  // namespace millrace::batch
