// The columns that a payload writes.
#pragma once

#include "millrace/core/plan.hpp"

namespace millrace::plan {

struct Written {
    std::vector<const catalog::Column*> columns;
    std::vector<std::string> keys;  // the payload's names of them
    bool missing_default = false;   // some column has a default, and it is wanted where an object lacks the column
};

// Fails with no_column (PGRST204) for a name that the version does not show.
[[nodiscard]] Result<Written> written_columns(const request::ApiRequest& request, const request::Payload& payload,
                                              const routes::Resource& resource);

}  // namespace millrace::plan
