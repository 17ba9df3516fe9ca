// Calls of functions, prepared.
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

[[nodiscard]] Result<Prepared> prepare_call(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                            const auth::Identity& identity, const message::Request& request);

}  // namespace millrace::pipeline
