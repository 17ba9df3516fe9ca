// By which names answers and writes are told to belong together.
#pragma once

#include <span>
#include <string>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

// The value of Cache-Groups and Cache-Group-Invalidation (RFC 9875): a list of strings, of which each stands for a table.
[[nodiscard]] std::string cache_groups(const Snapshot& snapshot, std::span<const fence::Tag> tags);

// The value of Surrogate-Key: the same names, and those of the version and the route ("v1 v1/products"), with spaces between.
[[nodiscard]] std::string surrogate_keys(const Snapshot& snapshot, std::span<const fence::Tag> tags, std::string_view version,
                                         std::string_view route);

}  // namespace millrace::pipeline
