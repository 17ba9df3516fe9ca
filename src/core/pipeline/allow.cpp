// Asks Postgres, in the caller's role, what it may do, and tells the methods that are left.
#include "allow.hpp"

#include <algorithm>

#include "millrace/core/openapi.hpp"
#include "session.hpp"

namespace millrace::pipeline {
namespace {

using message::Method;
constexpr openapi::Mode by_privileges = openapi::Mode::follow_privileges;

bool is_granted(const openapi::GrantedResource& granted, Method method) {
    switch (method) {
        case Method::get:
        case Method::head:
            return granted.select;
        case Method::post:
            return granted.insert;
        case Method::put:
            return granted.insert && granted.update;
        case Method::patch:
            return granted.update;
        case Method::del:
            return granted.del;
        case Method::options:
            return true;
    }
    return false;
}

message::Reply reply_of(const std::string& value) {
    message::Reply reply;
    reply.headers.add("Allow", value);
    return reply;
}

// A resource or function that was not granted is like one that can do nothing: it says so, and no more.
std::string granted_methods(const Work& work, const openapi::Grants& grants) {
    const std::string nothing(message::name(Method::options));
    if (work.function != nullptr) {
        const auto found = std::ranges::find(grants.functions, work.function, &openapi::GrantedFunction::function);
        return found == grants.functions.end() ? nothing : work.function->allow();
    }
    const auto found = std::ranges::find(grants.resources, work.resource, &openapi::GrantedResource::resource);
    if (found == grants.resources.end()) return nothing;
    routes::Resource granted;
    for (const Method method : work.resource->policies.methods)
        if (is_granted(*found, method)) granted.policies.methods.push_back(method);
    return granted.allow();
}

}  // namespace

Prepared prepare_allow(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                       const auth::Identity& identity, const message::Request& request) {
    if (snapshot->settings.api.openapi_mode == "ignore-privileges")
        return reply_of(match.function != nullptr ? match.function->allow() : match.resource->allow());
    auto work = std::make_shared<Work>();
    work->snapshot = snapshot;
    work->api = match.api;
    work->resource = match.resource;
    work->function = match.function;
    work->authenticated = identity.authenticated;
    work->allowing = true;
    plan::Needs needs;
    needs.session = true;
    work->script = sql::render(openapi::ask_grants(*match.api, by_privileges),
                               session_of({*snapshot, *match.api, identity, request}, {}, needs));
    return std::shared_ptr<const Work>(std::move(work));
}

message::Reply allow(const Work& work, const sql::Results& results) {
    return reply_of(granted_methods(work, openapi::read_grants(*work.api, by_privileges, results[work.script.main])));
}

}  // namespace millrace::pipeline
