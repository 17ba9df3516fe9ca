// What an answer depends on, as tags.
#pragma once

#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"

namespace millrace::pipeline {

// Tags of the tables behind a read or a call, declared ones included; sorted.
[[nodiscard]] std::vector<fence::Tag> table_tags(const plan::Plan& plan, const Work& work);

// The same of an answer that is kept, by row where the triggers tell of rows, and its version and route. `values`: how many
// marks stand for values.
void add_tags(CachePlan& out, const plan::Plan& plan, const Work& work, std::size_t values);

}  // namespace millrace::pipeline
