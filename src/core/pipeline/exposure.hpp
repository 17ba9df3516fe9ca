// What an answer depends on, as far as the catalog tells: it decides whether tags, role and claims are enough to keep it.
#pragma once

#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::pipeline {

// What of a read or a call is not seen in its tags. Everything of a request that SQL can reach (session.cpp) is one of: the
// role and claims (by_identity), the timezone (in the key), the application's settings (in the fingerprint), headers, cookies,
// method and path (by_request).
struct Exposure {
    bool untagged = false;     // nobody says when it changes: functions, volatile expressions, tables without triggers
    bool by_identity = false;  // it may differ by claims: row security, views that look at the session
    bool by_function = false;  // it may, because nobody sees into a function
    bool by_request = false;   // it is known to look at the rest of the request
    bool changing = false;     // a call of what may change the database
};
[[nodiscard]] Exposure exposure_of(const plan::Plan& plan, const Snapshot& snapshot);

// May such an answer be kept under role and declared claims, by tags or by time, as the route says?
[[nodiscard]] bool may_keep(const Exposure& exposure, const routes::ResolvedPolicies& policies, bool authenticated);

}  // namespace millrace::pipeline
