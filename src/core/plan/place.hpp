// Filters, orders and windows put where they belong in the tree of a select.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

constexpr unsigned filter_depth_max = 32;

// A filter on a node; one that names an embed of the node tests whether there is any.
[[nodiscard]] Result<Filter> plan_filter(const ReadNode& node, const request::FilterNode& filter, unsigned depth = 0);

// What belongs to the root is left out for a write: there its filters choose the rows to write. The rows of a call are under
// the function's page size rather than their resource's.
enum class Where : std::uint8_t { everywhere, below_root, rows_of_call };

// Filters, orders and windows of the request; then no node gives more rows than its resource's policy allows.
[[nodiscard]] Result<void> place(ReadNode& root, const request::ApiRequest& request, Where where, const Options& options);

// The relation whose column orders the rows: the node's own, or that of a to-one embed.
[[nodiscard]] Result<const routes::Resource*> ordered_by(const ReadNode& node, const request::OrderTerm& term);
// At most so many rows; 0: no limit.
void cap(request::Window& window, std::uint64_t most);

// One of place's steps.
[[nodiscard]] Result<void> place_filters(ReadNode& root, const request::ApiRequest& request, Where where,
                                         const Options& options);

}  // namespace millrace::plan
