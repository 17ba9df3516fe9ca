// The way of a request through one worker. Everything that decides is in core; here is the order of steps and what awaits.
#include "millrace/app/handler.hpp"

#include <algorithm>
#include <chrono>

#include "cache_status.hpp"
#include "millrace/core/cors.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "turn.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::size_t remembered_max = 4096;
constexpr std::size_t shapes_max = 4096;
constexpr Duration large_counts_as = 1s;  // a shape with large answers has no place on a lane that others share
constexpr Duration cheap_limit = 5ms;     // a statement slower than this holds up too many behind it on a pipelined lane

}  // namespace

RequestHandler::RequestHandler(std::shared_ptr<const pipeline::Snapshot> snapshot, pg::Pool& pool, TieredCache& cache,
                               Broadcast broadcast)
    : snapshot_(std::move(snapshot)),
      pool_(pool),
      cache_(cache),
      broadcast_(std::move(broadcast)),
      admission_(snapshot_->settings.limits),
      shape_times_(shapes_max),
      tokens_(snapshot_->settings.auth.jwt_cache_entries) {}

void RequestHandler::adopt(std::shared_ptr<const pipeline::Snapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    remembered_.clear();
    tokens_.clear();
}

std::uint64_t RequestHandler::body_bytes_max(const message::Request& head) const {
    const auto match = pipeline::find_route(*snapshot_, head, WallTime{});
    if (match && match->resource != nullptr) return match->resource->policies.body_bytes_max;
    if (match && match->function != nullptr && !match->unknown_function) return match->function->policies.body_bytes_max;
    return snapshot_->settings.http.body_bytes_max;
}

asio::awaitable<http::Outgoing> RequestHandler::handle(const message::Request& request, http::Trace& trace) {
    Turn turn(request, trace, snapshot_);
    auto ticket = admission_.admit(request.peer, net::now());
    if (!ticket) co_return turn.outgoing(turn.failed(ticket.error()));
    if (auto granted = cors::preflight(request, snapshot_->settings.api.cors_origins))
        co_return turn.outgoing(std::move(*granted));

    auto prepared = understand(turn);
    if (!prepared) co_return turn.outgoing(turn.failed(prepared.error()));
    if (auto* reply = std::get_if<message::Reply>(&*prepared)) co_return turn.outgoing(std::move(*reply));

    Work work = std::get<Work>(std::move(*prepared));
    if (work->cache) {
        turn.cache_key = pipeline::cache_key(*work->cache, turn.values);
        if (auto entry = cache_.find_memory(turn.cache_key, turn.wall); entry && turn.accepts(*entry))
            co_return turn.outgoing(turn.hit(*entry, events::CacheResult::hit_memory));
    }
    const bool cached = work->cache.has_value();
    auto answer = cached ? answer_through_cache(turn, std::move(work)) : answer_from_database(turn, std::move(work));
    auto reply = co_await std::move(answer);
    if (turn.body) turn.body->keep(std::move(*ticket));
    co_return turn.outgoing(std::move(reply));
}

// Who is asking, and for what: everything up to the statements, or the answer when there is no need of any.
Result<pipeline::Prepared> RequestHandler::understand(Turn& turn) {
    const TimePoint began = net::now();
    auto identity = tokens_.identify(turn.request, *turn.snapshot->keys, turn.snapshot->settings.auth, turn.wall);
    if (!identity) return std::move(identity).error();
    turn.identify(std::move(*identity));
    turn.timings.jwt = turn.lap();
    const bool rememberable = pipeline::rememberable(turn.request, turn.identity);
    if (rememberable)
        if (Work work = recall(turn)) {
            turn.label(*work->api, work->resource, nullptr);
            turn.timings.plan = turn.lap();
            return pipeline::Prepared(std::move(work));
        }
    auto match = pipeline::find_route(*turn.snapshot, turn.request, turn.wall);
    if (!match) return std::move(match).error();
    turn.label(*match->api, match->resource, match->unknown_function ? nullptr : match->function);
    turn.timings.parse = turn.lap();
    auto prepared = plan(turn, *match, rememberable);
    turn.timings.plan = turn.lap();
    turn.trace.plan = net::now() - began;
    return prepared;
}

// A request with plain values in its filters is planned as a shape, so that the next one with other values need not be.
Result<pipeline::Prepared> RequestHandler::plan(Turn& turn, const routes::Match& match, bool rememberable) {
    if (!turn.values.empty()) {
        if (Work work = pipeline::prepare_shape(turn.snapshot, match, turn.identity, turn.request)) {
            remember(work);
            return pipeline::Prepared(std::move(work));
        }
    }
    auto prepared = pipeline::prepare(turn.snapshot, match, turn.identity, turn.request);
    const auto* work = prepared ? std::get_if<Work>(&*prepared) : nullptr;
    if (work != nullptr && rememberable && turn.values.empty()) remember(*work);
    turn.values.clear();  // the work has them in its own parameters
    return prepared;
}

RequestHandler::Work RequestHandler::recall(Turn& turn) {
    remember_key_.clear();
    pipeline::append_remember_key(remember_key_, turn.request, turn.values);
    const auto found = remembered_.find(remember_key_);
    if (found == remembered_.end()) return nullptr;
    const auto& sunset = found->second->api->table().sunset;
    return sunset && turn.wall >= *sunset ? nullptr : found->second;
}

// recall() of the same request has just made the key. Forgetting all at once is crude and cheap: what is asked for again comes
// back at the price of one plan.
void RequestHandler::remember(const Work& work) {
    if (!work->repeatable) return;
    // Most keys of a large table are asked for once in a while: only what comes again soon is worth the memory.
    const std::uint64_t hash = text::hash64(remember_key_);
    if (std::exchange(seen_once_[hash % seen_once_.size()], hash) != hash) return;
    if (remembered_.size() >= remembered_max) remembered_.clear();
    remembered_.emplace(remember_key_, work);
}

asio::awaitable<message::Reply> RequestHandler::answer_through_cache(Turn& turn, Work work) {
    if (!cache_.fence().fenced()) {
        message::Reply reply = co_await answer_from_database(turn, work);
        turn.passed_by(reply, "unfenced");
        co_return reply;
    }
    const std::string& key = turn.cache_key;
    auto place = co_await cache_.take_turn(key, turn.deadline);
    if (place.found.entry && turn.accepts(*place.found.entry))
        co_return turn.hit(*place.found.entry, events::CacheResult::hit_memory);

    auto shared = co_await cache_.find_shared(key, turn.deadline);
    turn.trace.redis = shared.redis;
    if (shared.entry) cache_.fill(std::move(place.ticket), shared.entry, false);
    if (shared.entry && turn.accepts(*shared.entry)) co_return turn.hit(*shared.entry, events::CacheResult::hit_redis);
    co_return co_await fill(turn, std::move(work), std::move(place.ticket));
}

// Asks the database, and leaves the answer where the next one finds it.
asio::awaitable<message::Reply> RequestHandler::fill(Turn& turn, Work work, TieredCache::Ticket ticket) {
    const fence::PgSnapshot before = cache_.fence().latest();
    const WallTime began = net::wall_now();
    auto opened = co_await query(turn, *work);
    if (!opened) co_return turn.failed(opened.error());
    if (opened->rest) {
        auto reply = begin(turn, std::move(work), std::move(*opened));
        turn.missed(reply, false);
        co_return reply;
    }
    auto reply = pipeline::finish(*work, opened->results, turn.values);
    if (!reply) co_return turn.failed(reply.error());
    auto entry = pipeline::to_entry(*work, opened->results, *reply, before, began, turn.values);
    turn.missed(*reply, entry.has_value());
    if (entry) {
        auto shared = std::make_shared<const cache::Entry>(std::move(*entry));
        if (ticket)
            cache_.fill(std::move(ticket), std::move(shared));
        else
            cache_.put(turn.cache_key, std::move(shared));
    }
    pipeline::apply_conditions(turn.request, *reply);
    co_return std::move(*reply);
}

asio::awaitable<message::Reply> RequestHandler::answer_from_database(Turn& turn, Work work) {
    auto opened = co_await query(turn, *work);
    if (!opened) co_return turn.failed(opened.error());
    if (opened->rest) co_return begin(turn, std::move(work), std::move(*opened));
    const TimePoint began = net::now();
    auto reply = pipeline::finish(*work, opened->results, turn.values);
    if (!reply) co_return turn.failed(reply.error());
    if (work->script.outcome) apply_own_write(*work, opened->results, *reply);
    pipeline::apply_conditions(turn.request, *reply);
    turn.trace.render = net::now() - began;
    co_return std::move(*reply);
}

// More rows than are kept: the answer begins with those that are there, and is neither cached nor tagged. Who asked for the
// head alone has it now, and the rest of the rows is not read.
message::Reply RequestHandler::begin(Turn& turn, Work work, pg::Opened opened) {
    auto reply = pipeline::begin(*work, opened.results, turn.values);
    if (!reply) return turn.failed(reply.error());
    if (work->script.outcome) apply_own_write(*work, opened.results, *reply);
    shape_times_.record(work->script.statements[work->script.main].shape, large_counts_as);
    if (turn.request.method != message::Method::head)
        turn.body = std::make_unique<RowsBody>(std::move(work), std::move(opened), turn.trace);
    return std::move(*reply);
}

asio::awaitable<Result<pg::Opened>> RequestHandler::query(Turn& turn, const pipeline::Work& work) {
    pg::Timing timing;
    const sql::BoundScript script(work.script, turn.values);
    auto opened = work.streams ? pool_.open(script, lane_for(work), work.authenticated, kept_bytes(work), turn.deadline, timing)
                               : query_whole(work, script, turn.deadline, timing);
    auto results = co_await std::move(opened);
    turn.trace.lane_wait = timing.waited;
    turn.trace.database = timing.took;
    if (results) shape_times_.record(work.script.statements[work.script.main].shape, timing.took);
    co_return results;
}

asio::awaitable<Result<pg::Opened>> RequestHandler::query_whole(const pipeline::Work& work, sql::BoundScript script,
                                                                Deadline deadline, pg::Timing& timing) {
    const auto verdict = reply::verdict(work.shape, work.script);
    const sql::Verdict* judge = verdict ? &*verdict : nullptr;
    auto results = co_await pool_.run(script, lane_for(work), work.authenticated, judge, deadline, timing);
    if (!results) co_return std::move(results).error();
    pg::Opened opened;
    opened.results = std::move(*results);
    co_return opened;
}

// What may be cached is kept until it is too large for that.
std::size_t RequestHandler::kept_bytes(const pipeline::Work& work) const {
    const config::Settings& settings = work.snapshot->settings;
    return work.cache ? std::max(settings.http.stream_bytes_min, settings.cache.entry_bytes_max)
                      : settings.http.stream_bytes_min;
}

// A worker that made a write knows of it before its answer is out, without waiting for the notification.
void RequestHandler::apply_own_write(const pipeline::Work& work, const sql::Results& results, message::Reply& reply) {
    if (!work.script.outcome || work.script.rolls_back) return;
    const auto invalidation = pipeline::own_invalidation(work, results[*work.script.outcome]);
    if (!invalidation) return;
    cache_.invalidate(*invalidation);
    broadcast_(*invalidation);
    reply.headers.add("Consistency-Token", std::to_string(invalidation->xid));
}

events::LaneClass RequestHandler::lane_for(const pipeline::Work& work) const {
    if (work.route_class == routes::RouteClass::slow || work.script.writes) return events::LaneClass::slow;
    if (work.route_class == routes::RouteClass::fast || work.by_full_key) return events::LaneClass::fast;
    const std::uint64_t shape = work.script.statements[work.script.main].shape;
    return shape_times_.cheap(shape, cheap_limit) ? events::LaneClass::fast : events::LaneClass::slow;
}

}  // namespace millrace::app
