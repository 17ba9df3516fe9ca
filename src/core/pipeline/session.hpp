// What a transaction is told of its request (PostgREST, "Transaction-scoped settings").
#pragma once

#include "millrace/core/auth.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

struct Caller {
    const Snapshot& snapshot;
    const routes::ApiCatalog& api;
    const auth::Identity& identity;
    const message::Request& request;
    std::uint64_t timeout_ms = 0;  // of the route; 0: none of its own
};

// Empty for an anonymous read that nothing of the request can change the rows of: it is one statement on a lane that already
// has the anonymous role.
[[nodiscard]] sql::Session session_of(const Caller& caller, const request::ApiRequest& api, const plan::Needs& needs);

// May a request say by Prefer: tx= how its transaction ends?
[[nodiscard]] bool may_override_end(const config::ApiSettings& settings);

}  // namespace millrace::pipeline
