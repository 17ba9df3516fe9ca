// The root of a version and its openapi.json: what there is, as far as the caller may use it.
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

[[nodiscard]] inline bool is_root(const routes::Match& match) {
    return match.resource == nullptr && match.function == nullptr && match.upstream == nullptr;
}

[[nodiscard]] Result<Prepared> prepare_description(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                                   const auth::Identity& identity, const message::Request& request);
[[nodiscard]] message::Reply describe(const Work& work, const sql::Results& results);

// The function that answers the root instead, where the settings name one.
[[nodiscard]] routes::Match with_root_function(const Snapshot& snapshot, routes::Match match);

}  // namespace millrace::pipeline
