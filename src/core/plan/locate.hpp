// The node that a path of embeds leads to.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

// Fails with not_embedded.
[[nodiscard]] Result<ReadNode*> locate(ReadNode& root, const request::EmbedPath& path, const Options& options);
[[nodiscard]] Error not_embedded(const ReadNode& node, const std::string& name);

}  // namespace millrace::plan
