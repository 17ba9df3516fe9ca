// Embeds found by name: which of a resource's links a select means.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

// Fails with no_relationship or ambiguous_relationship.
[[nodiscard]] Result<const routes::Link*> find_link(const routes::Resource& source, const request::SelectEmbed& embed,
                                                    const Options& options);

[[nodiscard]] Error no_link(const routes::Resource& source, const request::SelectEmbed& embed, const Options& options);
[[nodiscard]] Error ambiguous_link(const routes::Resource& source, const request::SelectEmbed& embed,
                                   const std::vector<const routes::Link*>& found);

// The resource that shows a junction table: it has a link to the source of the many-to-many. Nothing when it is hidden.
[[nodiscard]] const routes::Resource* shown_junction(const routes::Resource& source, const catalog::Junction& junction);

}  // namespace millrace::plan
