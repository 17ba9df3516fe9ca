// The first half of a request's life: route, dialect, plan and SQL, one after the other, none of them looking back.
#include <algorithm>

#include "allow.hpp"
#include "allowed.hpp"
#include "cache_plan.hpp"
#include "describe.hpp"
#include "groups.hpp"
#include "guard.hpp"
#include "marks.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/text.hpp"
#include "prepare_call.hpp"
#include "repeats.hpp"
#include "session.hpp"
#include "standby.hpp"
#include "warning.hpp"

namespace millrace::pipeline {
namespace {

using message::Method;

Error method_not_allowed(Method method, const routes::Resource& resource) {
    if (method == Method::put && resource.relation->key().empty())  // no filters could name the row
        return Error::of(Fault::put_filters).with_header("Allow", resource.allow());
    return Error::of(Fault::method_not_allowed,
                     std::string(message::name(method)) + " is not allowed on '" + resource.name + "'")
        .with_header("Allow", resource.allow());
}

std::vector<std::string> location_keys(const routes::Resource& resource) {
    const std::vector<std::string>& key = resource.relation->key();
    std::vector<std::string> names;
    for (const routes::ApiColumn& shown : resource.columns)
        if (std::ranges::find(key, shown.column->name) != key.end()) names.push_back(shown.name);
    return names;
}

request::Window root_window(const plan::Plan& plan) {
    const auto* read = std::get_if<plan::Read>(&plan);
    return read == nullptr ? request::Window{} : read->root.window;
}

// Only handling=strict makes a limit of what would otherwise be a wish.
std::optional<std::int64_t> max_affected(const request::ApiRequest& api) {
    const bool limits =
        api.action == request::Action::update || api.action == request::Action::remove || api.action == request::Action::call;
    return limits && api.preferences.strict ? api.preferences.max_affected : std::nullopt;
}

// An insert that knows no conflict cannot resolve any.
std::vector<std::string> applied(const request::ApiRequest& api, const plan::Plan& plan) {
    std::vector<std::string> out = api.preferences.applied;
    const auto* insert = std::get_if<plan::Insert>(&plan);
    if (insert != nullptr && insert->conflict.empty())
        std::erase_if(out, [](const std::string& preference) { return preference.starts_with("resolution="); });
    return out;
}

reply::Shape shape_of(const request::ApiRequest& api, const plan::Plan& plan, const routes::Match& match) {
    reply::Shape shape;
    shape.action = api.action;
    shape.head_only = api.head_only;
    shape.window = root_window(plan);
    shape.count = api.preferences.count;
    shape.returning = api.preferences.returning;
    shape.applied = applied(api, plan);
    shape.warning = warning_of(plan);
    shape.max_affected = max_affected(api);
    if (api.action == request::Action::insert && api.preferences.returning == request::ReturnKind::headers_only) {
        shape.location_base = match.base() + "/" + text::percent_encode(match.resource->name);
        shape.location_keys = location_keys(*match.resource);
    }
    return shape;
}

// "/v1/products?id=eq.7", its parameters in the canonical order.
Template location_of(const routes::Match& match, std::string canonical_query, std::size_t values) {
    auto order = take_order(canonical_query, values);
    if (!order) return {};
    Template location{match.base() + "/" + text::percent_encode(match.resource->name), *std::move(order)};
    if (!canonical_query.empty()) location.text += "?" + canonical_query;
    return location;
}

representation::Offer offer_of(const request::ApiRequest& api, const Snapshot& snapshot, const routes::Match& match) {
    representation::Offer offer;
    offer.handlers = snapshot.catalog->media_handlers;
    offer.schema = match.api->table().schema;
    offer.resource = match.resource;
    offer.every_column = representation::selects_every_column(api);
    offer.plans = snapshot.settings.api.plan;
    return offer;
}

// Rows of a write that are looked at for Location only are no representation.
bool returns_none(const plan::Plan& plan, const request::ApiRequest& api, const representation::Representation& chosen) {
    const bool reads = std::holds_alternative<plan::Read>(plan);
    return !reads && !chosen.form.explain && api.preferences.returning != request::ReturnKind::representation;
}

// A handler may look at the request and do anything; PostGIS and what a plan prints are found by the search path.
plan::Needs needs_of(const plan::Plan& plan, const Work& work) {
    const representation::Representation& wanted = work.shape.representation;
    plan::Needs needs = plan::needs_of(plan, *work.snapshot->catalog);
    needs.session = needs.session || wanted.handled;
    needs.may_change = needs.may_change || wanted.handled;
    needs.search_path = needs.search_path || wanted.form.output == sql::Output::body;
    return needs;
}

void name_groups(Work& work, const plan::Plan& plan, const routes::Match& match) {
    const routes::CachePolicy& policy = match.resource->policies.cache;
    if (!policy.groups && !policy.surrogate_keys) return;
    const auto tags = tags_of(plan, work);
    if (policy.groups) work.groups = cache_groups(*work.snapshot, tags);
    if (policy.surrogate_keys)
        work.surrogate_keys = surrogate_keys(*work.snapshot, tags, match.api->version(), match.resource->name);
}

// `values`: how many marks stand in the request for values of filters.
Result<std::shared_ptr<const Work>> plan_work(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                              const auth::Identity& identity, const message::Request& request,
                                              std::size_t values) {
    auto api = request::parse(request);
    if (!api) return std::move(api).error();
    if (auto simple = check_complexity(*api, match.resource->policies); !simple) return std::move(simple).error();
    const config::ApiSettings& settings = snapshot->settings.api;
    auto plan = plan::make_plan(*api, request.body, *match.resource, plan_options(*snapshot, identity));
    if (!plan) return std::move(plan).error();
    if (auto allowed = check_filters(*plan, match.resource->policies); !allowed) return std::move(allowed).error();
    auto chosen = representation::choose(api->accept, offer_of(*api, *snapshot, match));
    if (!chosen) return std::move(chosen).error();

    auto work = std::make_shared<Work>();
    work->snapshot = snapshot;
    work->api = match.api;
    work->resource = match.resource;
    work->authenticated = identity.authenticated;
    work->negotiated = match.negotiated;
    work->route_class = match.resource->policies.route_class;
    work->shape = shape_of(*api, *plan, match);
    const representation::Representation wanted = *std::move(chosen);
    work->shape.representation = wanted;
    if (returns_none(*plan, *api, work->shape.representation)) work->shape.representation.form.output = sql::Output::json;
    const auto* read = std::get_if<plan::Read>(&*plan);
    work->by_full_key = read != nullptr && read->by_full_key;
    work->script.writes = read == nullptr;
    if (read != nullptr) work->location = location_of(match, api->canonical_query, values);
    work->cache = cache_plan(*work, *plan, {match, *api, identity, values});
    if (read == nullptr) work->invalidates = plan::tables_behind(*plan, *snapshot->catalog);
    name_groups(*work, *plan, match);
    const Caller caller{*snapshot, *match.api, identity, request, match.resource->policies.timeout_ms};
    sql::Session session = session_of(caller, *api, needs_of(*plan, *work));
    session.reports = session.reports || work->shape.representation.handled;
    if (read == nullptr)
        if (auto allowed = allow_repeats(*work, session, caller); !allowed) return std::move(allowed).error();
    std::erase_if(work->shape.applied,
                  [&](const std::string& preference) { return preference.starts_with("tx=") && !may_override_end(settings); });
    work->repeatable = session.empty();
    const sql::RenderOptions options{.want_snapshot = work->cache && work->cache->fenced,
                                     .form = work->shape.representation.form,
                                     .count_max = static_cast<std::int64_t>(snapshot->settings.database.rows_max)};
    work->script = sql::render(*plan, session, options);
    if (read == nullptr)
        if (auto guarded = add_guard(*work, match, request, wanted); !guarded) return std::move(guarded).error();
    work->streams = work->script.head_is_first() && reply::row_writer(work->shape, work->script) != nullptr;
    if (values > 0 && !place_slots(work->script, values)) return Error::of(Fault::internal);
    if (!add_estimate(*work, *plan, session, values)) return Error::of(Fault::internal);
    offer_to_standby(*work, *plan, session, options, values);
    return std::shared_ptr<const Work>(std::move(work));
}

}  // namespace

Result<routes::Match> find_route(const Snapshot& snapshot, const message::Request& request, WallTime now) {
    if (!snapshot.catalog) return Error::of(Fault::catalog_unavailable).with_header("Retry-After", "1");
    const bool reads = request.method == Method::get || request.method == Method::head || request.method == Method::options;
    auto match =
        routes::match(snapshot.versions, request.path, request.header(reads ? "Accept-Profile" : "Content-Profile"), now);
    if (!match) return match;
    return with_root_function(snapshot, std::move(*match));
}

Result<Prepared> prepare(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                         const auth::Identity& identity, const message::Request& request) {
    if (is_root(match)) return prepare_description(snapshot, match, identity, request);
    if (match.function != nullptr) return prepare_call(snapshot, match, identity, request);
    if (!match.resource->allows(request.method)) return method_not_allowed(request.method, *match.resource);
    if (request.method == Method::options) return prepare_allow(snapshot, match, identity, request);
    auto work = plan_work(snapshot, match, identity, request, 0);
    if (!work) return std::move(work).error();
    return Prepared(std::move(*work));
}

std::shared_ptr<const Work> prepare_shape(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                                          const auth::Identity& identity, const message::Request& request) {
    if (match.resource == nullptr || !match.resource->allows(request.method)) return nullptr;
    std::string target;
    std::vector<std::string> values;
    append_shape(target, request, values);
    message::Request shape = request;
    shape.target = target;
    shape.path = shape.target.substr(0, request.path.size());
    shape.query = shape.target.substr(std::min(request.path.size() + 1, target.size()));
    auto work = plan_work(snapshot, match, identity, shape, values.size());
    return work && (*work)->repeatable ? std::move(*work) : nullptr;
}

std::string cache_key(const CachePlan& plan, std::span<const std::string> values) {
    std::string key = plan.key;
    for (const std::size_t value : plan.value_order) {
        key += ' ';  // no plain value has one
        key += values[value];
    }
    return key;
}

}  // namespace millrace::pipeline
