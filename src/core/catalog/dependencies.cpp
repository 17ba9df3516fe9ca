// Follows views, policies and inheritance down to the tables behind each relation, and tells whose changes tags cannot see.
#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "millrace/core/catalog.hpp"

namespace millrace::catalog {
namespace {

struct Nature {
    bool is_volatile = false, reads_session = false;
};

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

// Stable functions of the system depend on settings that a lane never changes, but for those named here.
Nature nature_of_system(const ProcedureFacts& procedure) {
    const std::string_view name = procedure.name;
    Nature nature;
    nature.is_volatile = procedure.volatility == Volatility::is_volatile || name.starts_with("pg_") ||
                         name.starts_with("txid_") || name.find("_to_xml") != std::string_view::npos ||
                         one_of(name, {"now", "transaction_timestamp", "statement_timestamp", "age"});
    nature.reads_session = name.starts_with("inet_") || name.starts_with("has_") || name.starts_with("pg_has_") ||
                           one_of(name, {"current_setting", "current_user", "session_user", "getpgusername",
                                         "row_security_active", "current_schema", "current_schemas"});
    return nature;
}

// Nobody sees into a function's body: unless it is immutable it may read any table and any setting.
Nature nature_of(const ProcedureFacts& procedure) {
    constexpr std::uint32_t first_user_oid = 16384;
    if (procedure.volatility == Volatility::immutable) return {};
    if (procedure.oid < first_user_oid) return nature_of_system(procedure);
    return {.is_volatile = true, .reads_session = true};
}

class Settler {
public:
    Settler(Catalog& catalog, const std::vector<RelationFacts>& facts, const std::vector<ProcedureFacts>& procedures)
        : catalog_(catalog), facts_(facts) {
        for (std::size_t i = 0; i < facts.size(); ++i) by_oid_.emplace(facts[i].oid, i);
        for (const ProcedureFacts& procedure : procedures) natures_.emplace(procedure.oid, nature_of(procedure));
    }

    void settle() {
        for (std::size_t i = 0; i < facts_.size(); ++i) settle_one(i);
        for (std::size_t i = 0; i < facts_.size(); ++i) settle_origins(i);
    }

private:
    struct Outcome {
        std::set<std::string> tags;
        bool row_security = false, watched = true, materialized = false;
        Nature nature;
    };

    void settle_one(std::size_t index) {
        Outcome outcome;
        std::unordered_set<std::size_t> seen;
        follow(index, seen, outcome);
        Relation& relation = catalog_.relations[index];
        relation.base_tables.assign(outcome.tags.begin(), outcome.tags.end());
        relation.row_security = outcome.row_security;
        relation.is_volatile = outcome.nature.is_volatile;
        relation.reads_session = outcome.nature.reads_session;
        relation.watched = outcome.watched && !outcome.tags.empty();
        relation.reads_materialized = outcome.materialized;
    }

    void follow(std::size_t index, std::unordered_set<std::size_t>& seen, Outcome& outcome) const {
        if (!seen.insert(index).second) return;
        const Relation& relation = catalog_.relations[index];
        switch (relation.kind) {
            case RelationKind::view:
                add(facts_[index].query, outcome.nature);
                return follow_all(facts_[index].reads, seen, outcome);
            case RelationKind::materialized_view:
                outcome.tags.insert(relation.id());
                outcome.materialized = true;
                return;
            case RelationKind::foreign_table:
                outcome.tags.insert(relation.id());
                outcome.nature.is_volatile = true;
                outcome.watched = false;
                return;
            case RelationKind::table:
            case RelationKind::partitioned_table:
                return add_table(index, seen, outcome);
        }
    }

    void follow_all(const std::vector<std::uint32_t>& oids, std::unordered_set<std::size_t>& seen, Outcome& outcome) const {
        for (const std::uint32_t oid : oids)
            if (auto found = by_oid_.find(oid); found != by_oid_.end()) follow(found->second, seen, outcome);
    }

    void add_table(std::size_t index, std::unordered_set<std::size_t>& seen, Outcome& outcome) const {
        std::unordered_set<std::size_t> up, down;
        climb(index, &RelationFacts::parents, up);
        climb(index, &RelationFacts::children, down);
        for (const std::size_t i : up) {
            outcome.tags.insert(catalog_.relations[i].id());
            outcome.watched &= facts_[i].watched;
        }
        for (const std::size_t i : down) {
            const bool foreign = catalog_.relations[i].kind == RelationKind::foreign_table;
            outcome.nature.is_volatile |= foreign;
            outcome.watched &= facts_[i].watched && !foreign;
        }
        if (!facts_[index].row_security) return;
        outcome.row_security = true;
        for (const QueryFacts& policy : facts_[index].policies) add(policy, outcome.nature);
        follow_all(facts_[index].policy_reads, seen, outcome);
    }

    // The relation itself and all of its parents, or all of its children.
    void climb(std::size_t index, std::vector<std::uint32_t> RelationFacts::*way, std::unordered_set<std::size_t>& seen) const {
        if (!seen.insert(index).second) return;
        for (const std::uint32_t oid : facts_[index].*way)
            if (auto found = by_oid_.find(oid); found != by_oid_.end()) climb(found->second, way, seen);
    }

    void add(const QueryFacts& query, Nature& nature) const {
        nature.is_volatile |= query.reads_clock || query.reads_system;
        nature.reads_session |= query.reads_role;
        for (const std::uint32_t oid : query.functions) {
            auto found = natures_.find(oid);
            if (found == natures_.end()) continue;
            nature.is_volatile |= found->second.is_volatile;
            nature.reads_session |= found->second.reads_session;
        }
    }

    void settle_origins(std::size_t index) {
        for (Column& column : catalog_.relations[index].columns) {
            column.origin.reset();
            const QueryFacts::Output* output = output_of(index, column.position);
            // A chain of views is no longer than there are relations.
            for (std::size_t depth = 0; output != nullptr && depth < facts_.size(); ++depth) {
                auto found = by_oid_.find(output->relation_oid);
                if (found == by_oid_.end()) break;
                const Relation& behind = catalog_.relations[found->second];
                if (behind.kind != RelationKind::view && behind.kind != RelationKind::materialized_view) {
                    auto named = std::ranges::find(behind.columns, output->column, &Column::position);
                    if (named != behind.columns.end()) column.origin = Origin{behind.id(), named->name};
                    break;
                }
                output = output_of(found->second, output->column);
            }
        }
    }

    [[nodiscard]] const QueryFacts::Output* output_of(std::size_t index, int position) const {
        const auto& outputs = facts_[index].query.outputs;
        auto found = std::ranges::find(outputs, position, &QueryFacts::Output::position);
        return found == outputs.end() ? nullptr : &*found;
    }

    Catalog& catalog_;
    const std::vector<RelationFacts>& facts_;
    std::unordered_map<std::uint32_t, std::size_t> by_oid_;
    std::unordered_map<std::uint32_t, Nature> natures_;
};

}  // namespace

void settle_dependencies(Catalog& catalog, const std::vector<RelationFacts>& facts,
                         const std::vector<ProcedureFacts>& procedures) {
    Settler(catalog, facts, procedures).settle();
}

}  // namespace millrace::catalog
