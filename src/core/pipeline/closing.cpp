// What is done between a write's results and its COMMIT: they are judged, and an answer that is to be kept is made and kept.
#include <utility>

#include "guard.hpp"
#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using Statements = std::vector<sql::Statement>;

// A repeat is told of the same write.
void add_token(const Work& work, const sql::Results& results, message::Reply& reply) {
    if (!work.script.outcome) return;
    if (const auto invalidation = own_invalidation(work, results[*work.script.outcome]))
        reply.headers.add("Consistency-Token", std::to_string(invalidation->xid));
}

}  // namespace

std::optional<sql::Closing> closing(const Work& work) {
    auto judge = verdict(work);
    if (!judge) return std::nullopt;
    return [judge = std::move(*judge)](const sql::Results& results) -> Result<Statements> {
        if (auto judged = judge(results); !judged) return std::move(judged).error();
        return Statements{};
    };
}

sql::Closing keeping(const Work& work, message::Reply& reply) {
    return [&work, &reply, judge = verdict(work)](const sql::Results& results) -> Result<Statements> {
        if (judge)
            if (auto judged = (*judge)(results); !judged) return std::move(judged).error();
        auto made = finish(work, results);
        if (!made) return std::move(made).error();
        add_token(work, results, *made);
        reply = std::move(*made);
        return idempotency::keep(work.kept->key, reply, work.kept->role, work.snapshot->settings.idempotency);
    };
}

}  // namespace millrace::pipeline
