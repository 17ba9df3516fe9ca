// Reads a body only for the requests that write from it, then plans.
#include "millrace/core/plan.hpp"

namespace millrace::plan {

Result<Plan> make_plan(const request::ApiRequest& request, std::string_view body, const routes::Resource& resource,
                       const Options& options) {
    const bool writes_body = request.action == request::Action::insert || request.action == request::Action::update ||
                             request.action == request::Action::replace;
    if (!writes_body) return make_plan(request, request::Payload(), resource, options);
    auto payload = request::parse_payload(request, body);
    if (!payload) return std::move(payload).error();
    return make_plan(request, *std::move(payload), resource, options);
}

}  // namespace millrace::plan
