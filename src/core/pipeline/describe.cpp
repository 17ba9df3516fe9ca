// Prepares and finishes descriptions of a version: one statement asks what the caller's role may use.
#include "describe.hpp"

#include <algorithm>

#include "millrace/core/openapi.hpp"
#include "millrace/core/representation.hpp"
#include "session.hpp"

namespace millrace::pipeline {
namespace {

using message::Method;
using openapi::Mode;

Mode mode_of(const config::ApiSettings& settings) {
    if (settings.openapi_mode == "disabled") return Mode::disabled;
    return settings.openapi_mode == "ignore-privileges" ? Mode::ignore_privileges : Mode::follow_privileges;
}

constexpr std::string_view allowed = "OPTIONS,GET,HEAD";

Error unsupported_method(Method method) {
    return Error::of(Fault::unsupported_method, "Unsupported HTTP method: " + std::string(message::name(method)))
        .with_header("Allow", std::string(allowed));
}

bool is_acceptable(const std::vector<request::MediaRange>& accept) {
    using request::Media;
    return accept.empty() || std::ranges::any_of(accept, [](const request::MediaRange& range) {
               return range.media == Media::openapi || range.media == Media::json || range.media == Media::any;
           });
}

Work::Describing describing(const Snapshot& snapshot, const routes::Match& match, const auth::Identity& caller,
                            const message::Request& request) {
    const config::ApiSettings& settings = snapshot.settings.api;
    const auto format = match.openapi ? openapi::Format::openapi : openapi::Format::swagger;
    Work::Describing out;
    out.caller = caller;
    out.format = format;
    out.options = {mode_of(settings), settings.openapi_security, settings.extra_search_path, settings.openapi_server_url};
    out.server = openapi::server_of(settings.openapi_server_url, request.header("Host"), match.base());
    return out;
}

// A description is of what its reader may use.
void leave_admitted(openapi::Grants& grants, const auth::Identity& caller, const config::AuthSettings& settings) {
    std::erase_if(grants.resources, [&](const openapi::GrantedResource& granted) {
        return !admit(caller, granted.resource->policies, settings);
    });
    std::erase_if(grants.functions, [&](const openapi::GrantedFunction& granted) {
        return !admit(caller, granted.function->policies, settings);
    });
}

}  // namespace

routes::Match with_root_function(const Snapshot& snapshot, routes::Match match) {
    const config::ApiSettings& settings = snapshot.settings.api;
    if (!is_root(match) || match.openapi || settings.root_function.empty() || mode_of(settings) == Mode::disabled) return match;
    const std::string& written = settings.root_function;
    const auto dot = written.find('.');
    const std::string name = dot == std::string::npos ? written : written.substr(dot + 1);
    match.function = match.api->find_function(name);
    if (match.function != nullptr) return match;
    match.unknown_function = std::make_shared<const routes::ApiFunction>(routes::ApiFunction{name, {}, {}, {}});
    match.function = match.unknown_function.get();
    return match;
}

Result<Prepared> prepare_description(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                     const auth::Identity& identity, const message::Request& request) {
    if (mode_of(snapshot->settings.api) == Mode::disabled) return Error::of(Fault::openapi_disabled);
    if (request.method == Method::options) {
        message::Reply reply;
        reply.headers.add("Allow", allowed);
        return Prepared(std::move(reply));
    }
    if (request.method != Method::get && request.method != Method::head) return unsupported_method(request.method);
    const auto accept = request::parse_accept(request.header("Accept"));
    if (!is_acceptable(accept)) return representation::not_acceptable(accept);

    auto work = std::make_shared<Work>();
    work->snapshot = snapshot;
    work->api = match.api;
    work->authenticated = identity.authenticated;
    work->describing = describing(*snapshot, match, identity, request);
    work->shape.head_only = request.method == Method::head;
    work->negotiated = match.negotiated;
    request::ApiRequest api;
    api.preferences = request::parse_prefer(request);
    plan::Needs needs;
    needs.session = true;
    work->script = sql::render(openapi::ask_grants(*match.api, work->describing->options.mode),
                               session_of({*snapshot, *match.api, identity, request}, api, needs));
    return Prepared(std::shared_ptr<const Work>(std::move(work)));
}

message::Reply describe(const Work& work, const sql::Results& results) {
    const Work::Describing& what = *work.describing;
    openapi::Description description;
    description.api = work.api;
    description.grants = openapi::read_grants(*work.api, what.options.mode, results[work.script.main]);
    leave_admitted(description.grants, what.caller, work.snapshot->settings.auth);
    description.server = what.server;
    description.options = what.options;
    const bool swagger = what.format == openapi::Format::swagger;
    message::Reply reply;
    reply.body = swagger ? openapi::write_swagger(description) : openapi::write_openapi(description);
    const std::string_view type = swagger ? "application/openapi+json; charset=utf-8" : "application/json; charset=utf-8";
    reply.headers.add("Content-Type", type);
    reply.headers.add("ETag", reply::entity_tag(reply.body.view(), type));
    reply.headers.add("Cache-Control", "private, no-cache");
    reply.headers.add("Vary", "Accept, Authorization, Accept-Profile, Host");
    return reply;
}

}  // namespace millrace::pipeline
