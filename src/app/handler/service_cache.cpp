// Answers of services out of the caches: found by what tells them apart, asked for once for all who want them, renewed when
// they are old, and given old where the service cannot answer.
#include <algorithm>
#include <utility>

#include "cache_status.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "service_body.hpp"
#include "service_fill.hpp"
#include "turn.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;
using events::CacheReason;
using events::CacheResult;

bool is_read(message::Method method) { return method == message::Method::get || method == message::Method::head; }

// What a 304 repeats of the 200 it stands for (RFC 9110 §15.4.5).
constexpr std::array repeated = {"ETag", "Last-Modified", "Cache-Control", "Expires",         "Vary",
                                 "Age",  "Cache-Status",  "Via",           "Content-Location"};

void suit_client(const message::Request& request, message::Reply& reply) {
    if (reply.status != 200 || !is_read(request.method) || !upstream::client_has(request, reply.headers)) return;
    message::Reply unchanged;
    unchanged.status = 304;
    for (const char* name : repeated)
        if (const auto value = reply.headers.get(name); !value.empty()) unchanged.headers.add(name, value);
    reply = std::move(unchanged);
}

}  // namespace

// Whoever the service sees is a part of it: then what it says without them is no answer for them.
std::string RequestHandler::target_key(const Turn& turn) const {
    const std::string base = turn.match.base(), schema = turn.api->table().schema;
    const std::string query = std::string(turn.match.below) + "?" + std::string(turn.request.query);
    const auto& policies = turn.service->policies;
    std::string claims = upstream::shows_caller(turn.service->upstream, turn.request) ? "shown " : "";
    if (policies.cache.vary_claims) claims += auth::claim_values(turn.identity->claims_json, *policies.cache.vary_claims);
    cache::KeyParts parts;
    parts.version = base;
    parts.schema = schema;
    parts.resource = turn.service->name;
    parts.query = query;
    parts.media = "service";
    if (policies.cache.vary_claims) parts.role = turn.identity->role;
    parts.claims = claims;
    parts.deployment = turn.snapshot->fingerprint;
    return cache::make_key(parts);
}

Ask RequestHandler::service_ask(const Turn& turn, TimePoint now) const {
    Ask ask{turn.wall, now, turn.windows};
    ask.by_time = true;
    return ask;
}

// Sets the key under which the answer to this request would be.
void RequestHandler::find_variant(Turn& turn, const EntryPointer& record) {
    turn.variation = record ? upstream::parse_variation(*record->body) : std::nullopt;
    turn.cache_key = turn.variation ? upstream::variant_key(turn.target_key, *turn.variation, turn.request) : turn.target_key;
    turn.windows = {};
    if (const auto old = cache_.find_any(turn.cache_key)) {
        const auto said = upstream::caching_of(message::HeaderBlock::from_lines(old->header_lines));
        turn.windows = upstream::stale_windows(said, turn.service->policies.cache);
    }
}

message::Reply RequestHandler::service_hit(Turn& turn, const Lookup& found) {
    turn.trace.cache = found.result;
    turn.trace.cache_reason = found.reason;
    message::Reply reply = pipeline::from_entry(*found.entry, turn.wall);
    const bool collapsed = found.result == CacheResult::collapsed;
    turn.say_status(reply, collapsed ? cache_status_forwarded({.collapsed = true}) : cache_status_hit(found, turn.wall));
    suit_client(turn.request, reply);
    return reply;
}

// Without waiting for anything. Nothing: it has to be looked for, or asked for.
std::optional<message::Reply> RequestHandler::hit_service_memory(Turn& turn) {
    if (!upstream::may_use_cache(turn.request)) return std::nullopt;
    turn.target_key = target_key(turn);
    turn.read_directives(turn.service->policies.cache);
    turn.token.reset();  // it is the database's: a service has not seen it
    const auto record = cache_.find_memory(upstream::variation_key(turn.target_key), service_ask(turn, turn.began));
    find_variant(turn, record.entry);
    const auto found = cache_.find_memory(turn.cache_key, service_ask(turn, turn.began));
    turn.trace.cache_reason = found.reason;
    if (!found.answers() || !turn.accepts(*found.entry)) return std::nullopt;
    if (found.use == cache::Use::stale || found.early) refresh_service(turn, found.entry);
    return service_hit(turn, found);
}

RequestHandler::Question RequestHandler::question_of(const Turn& turn) const {
    Question out;
    out.snapshot = turn.snapshot;
    out.api = turn.api;
    out.route = turn.service;
    out.below = turn.match.below;
    out.request = &turn.request;
    out.request_id = turn.trace.request_id;
    out.target = turn.target_key;
    out.variation = turn.variation;
    out.key = turn.cache_key;
    out.deadline = turn.deadline;
    return out;
}

asio::awaitable<message::Reply> RequestHandler::find_or_ask_service(Turn& turn) {
    constexpr int looks_max = 2;  // the second one when it was learned meanwhile what tells the answers apart
    for (int looks = 0; looks < looks_max; ++looks) {
        const std::string record_key = upstream::variation_key(turn.target_key);
        if (!turn.variation && cache_.shares()) {
            TieredCache::Search search{turn.deadline};
            const auto ask = service_ask(turn, net::now());
            const auto record = co_await cache_.find_shared(record_key, ask, std::move(search));
            if (record.found.answers()) find_variant(turn, record.found.entry);
        }
        if (turn.request.method == message::Method::head) break;
        if (cache_.unkept(turn.cache_key, turn.wall)) {
            turn.pass_by(CacheReason::unkept);
            break;
        }
        const std::string key = turn.cache_key;
        TieredCache::Turn place{cache_.try_ticket(key), {}};
        if (!place.ticket) {
            const auto ask = service_ask(turn, net::now());
            place = co_await cache_.take_turn(key, ask, turn.deadline);
        }
        if (place.found.answers() && turn.accepts(*place.found.entry)) co_return service_hit(turn, place.found);
        if (!place.ticket) {
            const auto ask = service_ask(turn, net::now());
            find_variant(turn, cache_.find_memory(record_key, ask).entry);
            if (turn.cache_key == key) break;
            const auto found = cache_.find_memory(turn.cache_key, ask);
            if (found.answers() && turn.accepts(*found.entry)) co_return service_hit(turn, found);
            continue;
        }
        TieredCache::Shared shared;
        if (cache_.shares()) {
            TieredCache::Search search{turn.deadline, std::chrono::milliseconds(turn.snapshot->settings.cache.fill_wait_ms)};
            const auto ask = service_ask(turn, net::now());
            shared = co_await cache_.find_shared(key, ask, std::move(search));
        }
        turn.trace.redis = shared.found.redis;
        if (shared.found.answers() && turn.accepts(*shared.found.entry)) {
            cache_.fill(std::move(place.ticket), shared.found.use == cache::Use::fresh ? shared.found.entry : nullptr);
            co_return service_hit(turn, shared.found);
        }
        if (turn.only_if_cached()) break;
        co_return co_await fill_from_service(turn, std::move(place.ticket), std::move(shared.lease));
    }
    if (turn.only_if_cached()) co_return turn.failed(Error::of(Fault::not_in_cache));
    co_return co_await fill_from_service(turn, TieredCache::Ticket(), TieredCache::Lease());
}

asio::awaitable<message::Reply> RequestHandler::fill_from_service(Turn& turn, TieredCache::Ticket ticket,
                                                                  TieredCache::Lease lease) {
    Question question = question_of(turn);
    question.old = cache_.find_any(turn.cache_key);
    // What proved not to be kept a moment ago is asked for as the client asks for it, conditions and all.
    question.keeps = turn.may_store() && turn.request.method == message::Method::get && turn.trace.cache != CacheResult::bypass;
    auto fetched = co_await fetch(question);
    if (!fetched.entry && question.keeps) cache_.remember_unkept(turn.cache_key, turn.wall);
    cache_.fill(std::move(ticket), fetched.key == turn.cache_key ? fetched.entry : nullptr);
    lease = {};
    const int status = fetched.error ? fetched.error->status : fetched.reply.status;
    if (cache::lets_stale_answer(status)) {
        auto spare = co_await find_service_spare(turn);
        if (spare.entry && turn.accepts(*spare.entry)) {
            auto reply = service_hit(turn, spare);
            turn.trace.cache_reason = CacheReason::error;
            reply.headers.set("Cache-Status", cache_status_stale_for_error(spare, turn.wall));
            co_return reply;
        }
    }
    if (fetched.error) co_return turn.failed(*fetched.error);
    turn.missed(fetched.reply, fetched.entry != nullptr);
    if (fetched.rest) {
        turn.body = std::make_unique<ServiceBody>(std::move(fetched.first), std::move(fetched.rest), turn.trace);
    } else {
        suit_client(turn.request, fetched.reply);
    }
    co_return std::move(fetched.reply);
}

asio::awaitable<Lookup> RequestHandler::find_service_spare(Turn& turn) {
    if (!cache_.find_any(
            turn.cache_key)) {  // what its maker allows of it is known when it is found; until then what the route does
        const auto& policy = turn.service->policies.cache;
        turn.windows = {std::chrono::seconds(policy.stale_while_revalidate_s), std::chrono::seconds(policy.stale_if_error_s)};
    }
    if (turn.windows.if_error == Duration::zero()) co_return Lookup();
    turn.wall = net::wall_now();
    const auto ask = service_ask(turn, net::now());
    co_return co_await cache_.find_spare(turn.cache_key, ask);
}

// RFC 9111 §4.4: after what may have changed it, what is kept of the target is no answer any more.
void RequestHandler::forget_target(Turn& turn) {
    const std::string target = target_key(turn);
    cache_.forget(target);
    cache_.forget(upstream::variation_key(target));
}

// In the background, for whoever comes next: the request is copied, since its connection goes on to others.
void RequestHandler::refresh_service(const Turn& turn, const EntryPointer& old) {
    if (refreshes_ >= turn.snapshot->settings.cache.refreshes_max) return;
    auto ticket = cache_.try_ticket(turn.cache_key);
    if (!ticket) return;
    ++refreshes_;
    auto own = std::make_shared<OwnRequest>(turn.request);
    own->request.method = message::Method::get;
    Question question = question_of(turn);
    question.old = old;
    question.owner = own;
    question.request = &own->request;
    question.below = own->own(turn.match.below);
    question.request_id = own->own(turn.trace.request_id);
    question.deadline.at = net::now() + std::chrono::milliseconds(turn.snapshot->settings.limits.deadline_ms);
    background_.spawn("refresh of a service's answer", ask_again(std::move(question), std::move(ticket)));
}

asio::awaitable<void> RequestHandler::ask_again(Question question, TieredCache::Ticket ticket) {
    const auto fetched = co_await fetch(question);
    cache_.fill(std::move(ticket), fetched.key == question.key ? fetched.entry : nullptr);
    --refreshes_;
    observer_.on(events::CacheRefreshed{false, fetched.entry != nullptr});
}

}  // namespace millrace::app
