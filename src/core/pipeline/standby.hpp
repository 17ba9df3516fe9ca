// Which reads a standby may answer.
#pragma once

#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"

namespace millrace::pipeline {

// Gives the work its twin for a standby, where the route wants one and its tags tell whether the answer is too old. `work` is
// complete otherwise.
void offer_to_standby(Work& work, const plan::Plan& plan, const sql::Session& session, const sql::RenderOptions& options,
                      std::size_t values = 0);

}  // namespace millrace::pipeline
