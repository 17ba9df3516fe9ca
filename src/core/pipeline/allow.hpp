// OPTIONS: what the route allows, the relation or function can do, and the caller's role has privileges for.
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

// The match leads to a resource or to a function that is there.
[[nodiscard]] Prepared prepare_allow(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                     const auth::Identity& identity, const message::Request& request);
[[nodiscard]] message::Reply allow(const Work& work, const sql::Results& results);

}  // namespace millrace::pipeline
