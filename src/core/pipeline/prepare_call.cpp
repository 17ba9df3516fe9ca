// The first half of a call's life: which overload, with which arguments, in what kind of transaction, and how it answers.
#include "prepare_call.hpp"

#include <algorithm>

#include "allow.hpp"
#include "allowed.hpp"
#include "cache_plan.hpp"
#include "guard.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/representation.hpp"
#include "millrace/core/text.hpp"
#include "repeats.hpp"
#include "session.hpp"
#include "standby.hpp"
#include "warning.hpp"

namespace millrace::pipeline {
namespace {

using catalog::Function;
using catalog::ResultKind;

constexpr std::string_view isolation_setting = "default_transaction_isolation";

Error method_not_allowed(const message::Request& request, const routes::ApiFunction& function) {
    return Error::of(Fault::method_not_allowed,
                     std::string(message::name(request.method)) + " is not allowed on 'rpc/" + function.name + "'")
        .with_header("Allow", function.allow());
}

bool returns_rows(const Function& function) {
    return function.result == ResultKind::composite || function.result == ResultKind::table;
}

reply::CallForm form_of(const Function& function) {
    if (returns_rows(function)) return function.returns_set ? reply::CallForm::rows : reply::CallForm::row;
    if (function.returns_set) return reply::CallForm::values;
    return function.result == ResultKind::is_void ? reply::CallForm::nothing : reply::CallForm::value;
}

reply::Shape shape_of(const request::ApiRequest& api, const plan::Call& call) {
    reply::Shape shape;
    shape.action = api.action;
    shape.head_only = api.head_only;
    shape.window = call.rows.window;
    shape.count = api.preferences.count;
    shape.applied = api.preferences.applied;
    if (api.preferences.strict) shape.max_affected = api.preferences.max_affected;
    shape.call = form_of(*call.function);
    return shape;
}

Result<representation::Representation> choose_representation(const request::ApiRequest& api, const Snapshot& snapshot,
                                                             const routes::Match& match, const plan::Call& call) {
    representation::Offer offer;
    offer.handlers = snapshot.catalog->media_handlers;
    offer.schema = match.api->table().schema;
    if (returns_rows(*call.function)) offer.resource = call.rows.resource;
    offer.function = call.function;
    offer.every_column = representation::selects_every_column(api);
    offer.plans = snapshot.settings.api.plan;
    auto chosen = representation::choose(api.accept, offer);
    if (chosen) chosen->form.body.of_value = !returns_rows(*call.function) && !call.function->returns_set;
    return chosen;
}

// What a function's SET clauses say of its transaction, as far as the configuration lifts them out of the call.
void add_function_settings(sql::Session& session, const Function& function, const std::vector<std::string>& hoisted) {
    for (const auto& [name, value] : function.settings) {
        if (text::iequals(name, isolation_setting)) session.isolation = text::lower(value);
        const bool lifted = std::ranges::any_of(
            hoisted, [&, setting = std::string_view(name)](const std::string& each) { return text::iequals(each, setting); });
        if (lifted) session.settings.emplace_back(name, value);
    }
}

sql::Session call_session(const Caller& caller, const request::ApiRequest& api, const plan::Plan& plan) {
    const auto& call = std::get<plan::Call>(plan);
    sql::Session session = session_of(caller, api, plan::needs_of(plan, *caller.snapshot.catalog));
    session.reads_only = call.read_only;
    session.reports = true;
    add_function_settings(session, *call.function, caller.snapshot.settings.api.hoisted_settings);
    return session;
}

Result<plan::Plan> plan_call(const request::ApiRequest& api, const routes::Match& match, const message::Request& request,
                             const plan::Options& options) {
    request::Payload payload;
    if (!api.safe) {
        auto read = request::parse_payload(api, request.body);
        if (!read) return std::move(read).error();
        payload = *std::move(read);
    }
    auto plan = plan::make_call(api, std::move(payload), *match.api, *match.function, options);
    const bool limited = api.preferences.strict && api.preferences.max_affected;
    if (plan && limited && !std::get<plan::Call>(*plan).function->returns_set) return Error::of(Fault::max_affected_of_one);
    return plan;
}

}  // namespace

Result<Prepared> prepare_call(const std::shared_ptr<const Snapshot>& snapshot, const routes::Match& match,
                              const auth::Identity& identity, const message::Request& request) {
    auto api = request::parse(request, true);
    if (!api) return std::move(api).error();
    const bool known = !match.function->overloads.empty();
    if (known && !match.function->allows(request.method)) return method_not_allowed(request, *match.function);
    if (known && request.method == message::Method::options) return prepare_allow(snapshot, match, identity, request);
    if (!api->safe && has_condition(request)) return uncheckable("Nobody knows what a call would change.");
    if (auto simple = check_complexity(*api, match.function->policies); !simple) return std::move(simple).error();
    const config::ApiSettings& settings = snapshot->settings.api;
    auto plan = plan_call(*api, match, request, plan_options(*snapshot, identity));
    if (!plan) return std::move(plan).error();
    if (auto allowed = check_filters(*plan, match.function->policies); !allowed) return std::move(allowed).error();
    const auto& call = std::get<plan::Call>(*plan);
    auto chosen = choose_representation(*api, *snapshot, match, call);
    if (!chosen) return std::move(chosen).error();

    auto work = std::make_shared<Work>();
    work->snapshot = snapshot;
    work->api = match.api;
    work->resource = call.rows.resource;
    work->function = match.function;
    work->authenticated = identity.authenticated;
    work->negotiated = match.negotiated;
    work->safe = api->safe;
    work->route_class = match.function->policies.route_class;
    work->shape = shape_of(*api, call);
    work->shape.representation = *std::move(chosen);
    work->shape.warning = warning_of(*plan);
    std::erase_if(work->shape.applied,
                  [&](const std::string& preference) { return preference.starts_with("tx=") && !may_override_end(settings); });
    const Caller caller{*snapshot, *match.api, identity, request, match.function->policies.timeout_ms};
    sql::Session session = call_session(caller, *api, *plan);
    if (auto allowed = allow_repeats(*work, session, caller); !allowed) return std::move(allowed).error();
    work->script.writes = !call.read_only;
    work->cache = cache_plan(*work, *plan, {match, *api, identity});
    const sql::RenderOptions options{.want_snapshot = work->cache && work->cache->fenced,
                                     .form = work->shape.representation.form};
    work->script = sql::render(*plan, session, options);
    (void)add_estimate(*work, *plan, session);
    offer_to_standby(*work, *plan, session, options);
    return Prepared(std::shared_ptr<const Work>(std::move(work)));
}

}  // namespace millrace::pipeline
