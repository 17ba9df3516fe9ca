// The select of a request as a tree of relations.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

constexpr unsigned embed_depth_max = 16;

// A select without items is every column.
[[nodiscard]] Result<ReadNode> plan_select(const routes::Resource& resource, const std::vector<request::SelectItem>& items,
                                           const Options& options);

// An embed by its key; nothing when there is none.
[[nodiscard]] const ReadNode* find_embed(const ReadNode& node, std::string_view key);

}  // namespace millrace::plan
