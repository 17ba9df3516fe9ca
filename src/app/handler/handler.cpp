// The way of a request through one worker. Everything that decides is in core; here is the order of steps and what awaits.
#include "millrace/app/handler.hpp"

#include <algorithm>
#include <chrono>

#include "callers.hpp"
#include "compressor.hpp"
#include "costs.hpp"
#include "limits.hpp"
#include "millrace/core/cors.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "rows_body.hpp"
#include "turn.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::size_t shapes_max = 4096;
constexpr Duration large_counts_as = 1s;  // a shape with large answers has no place on a lane that others share
constexpr Duration cheap_limit = 5ms;     // a statement slower than this holds up too many behind it on a pipelined lane

cache::StaleWindows windows_of(const routes::CachePolicy& policy) {
    return {std::chrono::seconds(policy.stale_while_revalidate_s), std::chrono::seconds(policy.stale_if_error_s)};
}

}  // namespace

RequestHandler::RequestHandler(std::shared_ptr<const pipeline::Snapshot> snapshot, const Parts& parts, Broadcast broadcast)
    : snapshot_(std::move(snapshot)),
      pool_(parts.pool),
      standby_(parts.standby),
      services_(parts.services),
      cache_(parts.cache),
      compressor_(std::make_unique<Compressor>(parts.cache, parts.side)),
      background_(parts.background),
      keys_settled_(parts.keys_settled),
      ask_for_keys_(parts.ask_for_keys),
      observer_(parts.observer),
      broadcast_(std::move(broadcast)),
      admission_(snapshot_->settings.limits),
      shape_times_(shapes_max),
      costs_(std::make_unique<Costs>()),
      callers_(std::make_unique<Callers>(parts.pool, parts.observer, snapshot_->settings.auth.api_key_cache_entries)),
      limits_(std::make_unique<Limits>(snapshot_->settings, Limits::Parts{parts.link, parts.background, parts.observer})),
      tokens_(snapshot_->settings.auth.jwt_cache_entries) {
    until_check_ = hits_until_check();
    services_.adopt(snapshot_->versions);
}

RequestHandler::~RequestHandler() = default;

void RequestHandler::adopt(std::shared_ptr<const pipeline::Snapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    until_check_ = hits_until_check();
    remembered_.clear();
    known_.clear();
    tokens_.clear();
    costs_->clear();
    limits_->adopt(snapshot_->settings);
    services_.adopt(snapshot_->versions);
}

void RequestHandler::forget_callers() { callers_->forget(); }

void RequestHandler::catch_up() {
    pool_.catch_up();
    standby_.catch_up();
}

// Bodies of what may come from a cache are read whole: one answer is for many requests.
http::BodyRule RequestHandler::body_rule(const message::Request& head) const {
    const auto match = pipeline::find_route(*snapshot_, head, WallTime{});
    if (match && match->resource != nullptr) return {match->resource->policies.body_bytes_max};
    if (match && match->function != nullptr && !match->unknown_function) return {match->function->policies.body_bytes_max};
    const bool reads = head.method == message::Method::get || head.method == message::Method::head;
    if (match && match->upstream != nullptr) return {match->upstream->policies.body_bytes_max, !reads};
    return {snapshot_->settings.http.body_bytes_max};
}

http::Answer RequestHandler::answer(const message::Request& request, http::Trace& trace, net::Source* body) {
    Turn turn(request, trace, snapshot_);
    turn.unread = body;
    auto ticket = admission_.admit(request.peer, turn.began);
    if (!ticket) return turn.outgoing(turn.failed(ticket.error()));
    turn.find_origins();
    if (auto granted = cors::preflight(request, *turn.origins)) return turn.outgoing(std::move(*granted));

    const auto identity = identify(turn);
    if (!identity && admission_.full()) return turn_away(turn);
    if (!identity) return answer_unknown(std::make_unique<Turn>(std::move(turn)), std::move(*ticket));
    if (!*identity) return turn.outgoing(turn.failed(identity->error()));
    turn.identify(**identity);
    return answer_known(turn, std::move(*ticket));
}

http::Answer RequestHandler::answer_known(Turn& turn, Admission::Ticket ticket) {
    turn.timings.jwt = turn.lap();
    auto place = batch::find_place(*turn.snapshot, turn.request, turn.wall);
    if (place && admission_.full()) return turn_away(turn);
    if (place) return answer_batch(std::make_unique<Turn>(std::move(turn)), *std::move(place), std::move(ticket));
    auto prepared = understand(turn);
    if (turn.lacks_tokens && admission_.full()) return turn_away(turn);
    if (turn.lacks_tokens) return answer_with_tokens(std::make_unique<Turn>(std::move(turn)), std::move(ticket));
    if (!prepared) return turn.outgoing(turn.failed(prepared.error()));
    if (auto* reply = std::get_if<message::Reply>(&*prepared)) return charged(turn, std::move(*reply));
    if (turn.service != nullptr) return answer_through_service(turn, std::move(ticket));

    Work& work = std::get<Work>(*prepared);
    if (work->cache)
        if (auto reply = hit_memory(turn, work)) return charged(turn, std::move(*reply));
    if (admission_.full()) return turn_away(turn);
    return answer_later(std::make_unique<Turn>(std::move(turn)), std::move(work), std::move(ticket));
}

// It would have to wait, and too many do.
http::Outgoing RequestHandler::turn_away(Turn& turn) { return turn.outgoing(turn.failed(Admission::refusal())); }

// What memory does not have is waited for. The turn is not a part of the frame: a large frame's memory is not used again.
asio::awaitable<http::Outgoing> RequestHandler::answer_later(std::unique_ptr<Turn> turn, Work work, Admission::Ticket ticket) {
    const bool cached = work->cache.has_value();
    auto answer = cached ? answer_through_cache(*turn, std::move(work)) : answer_from_database(*turn, std::move(work));
    auto reply = co_await std::move(answer);
    if (turn->body) turn->body->keep(std::move(ticket));
    co_return charged(*turn, std::move(reply));
}

// The answer as it leaves, its rows paid for where the route charges for them.
http::Outgoing RequestHandler::charged(Turn& turn, message::Reply reply) {
    if (turn.passed != nullptr && turn.passed->rows_per_cost > 0)
        limits_->charge(turn.limited(*turn.passed), reply::rows_in(reply.headers.get("Content-Range")));
    return turn.outgoing(std::move(reply));
}

// What is asked for: everything up to the statements, or the answer when there is no need of any.
Result<pipeline::Prepared> RequestHandler::understand(Turn& turn) {
    const TimePoint began = net::now();
    turn.values.clear();  // of another try, when tokens were wanting
    if (auto read = turn.read_token(); !read) return std::move(read).error();
    auto known = known_hit(turn);
    if (!known) return std::move(known).error();
    if (*known) return pipeline::Prepared(*std::move(*known));
    const bool rememberable = !turn.in_batch && !turn.patience && pipeline::rememberable(turn.request, *turn.identity);
    if (rememberable)
        if (Work work = recall(turn)) {
            turn.label(*work->api, work->resource, nullptr);
            if (auto passed = pass_gate(turn, work->policies()); !passed) return std::move(passed).error();
            turn.timings.plan = turn.lap();
            return pipeline::Prepared(std::move(work));
        }
    auto match = pipeline::find_route(*turn.snapshot, turn.request, turn.wall);
    if (!match) return pipeline::unfound(std::move(match).error(), *turn.identity, *turn.snapshot, turn.request.path);
    turn.label(*match->api, match->resource, match->unknown_function ? nullptr : match->function);
    if (match->upstream != nullptr) turn.label(*match->api, *match->upstream);
    if (auto passed = pass_gate(turn, *match); !passed) return std::move(passed).error();
    if (match->upstream != nullptr) return send_to_service(turn, *match);
    turn.timings.parse = turn.lap();
    auto prepared = plan(turn, *match, rememberable);
    turn.timings.plan = turn.lap();
    turn.trace.plan = net::now() - began;
    return prepared;
}

// A request with plain values in its filters is planned as a shape, so that the next one with other values need not be.
Result<pipeline::Prepared> RequestHandler::plan(Turn& turn, const routes::Match& match, bool rememberable) {
    if (!turn.values.empty()) {
        if (Work work = pipeline::prepare_shape(turn.snapshot, match, *turn.identity, turn.request)) {
            remember(work);
            return pipeline::Prepared(std::move(work));
        }
    }
    auto prepared = pipeline::prepare(turn.snapshot, match, *turn.identity, turn.request);
    const auto* work = prepared ? std::get_if<Work>(&*prepared) : nullptr;
    if (work != nullptr && rememberable && turn.values.empty()) remember(*work);
    if (work != nullptr && !caller_key_.empty()) remember_caller(**work);
    turn.values.clear();  // the work has them in its own parameters
    return prepared;
}

message::Reply RequestHandler::hit(Turn& turn, const Lookup& found) {
    const config::CacheSettings& settings = turn.snapshot->settings.cache;
    return turn.hit(found, compressor_->choose(turn.cache_key, found.entry, turn.request, settings));
}

std::optional<message::Reply> RequestHandler::hit_memory(Turn& turn, const Work& work) {
    turn.cache_key = pipeline::cache_key(*work->cache, turn.values);
    turn.read_directives(work->cache->policy);
    turn.windows = windows_of(work->cache->policy);
    const auto found = cache_.find_memory(turn.cache_key, turn.ask(turn.began));
    turn.trace.cache_reason = found.reason;
    if (!found.answers() || !turn.accepts(*found.entry)) return std::nullopt;
    const bool again = found.early || found.use == cache::Use::stale;
    const bool whole = !work->script.statements.empty();  // of a caller who is known it is not, and nothing can be read with it
    if (!whole && (again || until_check_ == 1)) return std::nullopt;
    if (again) refresh(turn, work, found);
    if (--until_check_ == 0) check(turn, work, found.entry);
    return hit(turn, found);
}

asio::awaitable<message::Reply> RequestHandler::answer_from_database(Turn& turn, Work asked) {
    if (asked->kept) co_return co_await answer_once(turn, std::move(asked));
    Reading reading{std::move(asked), turn.values, turn.token, turn.call()};
    auto opened = co_await query(reading, turn.timing);
    Work work = std::move(reading.work);
    turn.note_timing();
    if (!opened) co_return turn.failed(opened.error());
    if (opened->rest) co_return begin(turn, std::move(work), std::move(*opened));
    const TimePoint began = net::now();
    auto reply = pipeline::finish(*work, opened->results, turn.values);
    if (!reply) co_return turn.failed(reply.error());
    if (work->script.outcome) apply_own_write(*work, opened->results, *reply);
    turn.trace.render = net::now() - began;
    co_return turn.conditioned(std::move(*reply));
}

// More rows than are kept: the answer begins with those that are there, and is neither cached nor tagged. Who asked for the
// head alone has it now, and the rest of the rows is not read.
message::Reply RequestHandler::begin(Turn& turn, Work work, pg::Opened opened) {
    const std::uint64_t most = work->policies().answer_bytes_max;
    if (most > 0 && most <= kept_bytes(*work)) return turn.failed(pipeline::answer_too_large(*work));
    auto reply = pipeline::begin(*work, opened.results, turn.values);
    if (!reply) return turn.failed(reply.error());
    if (work->script.outcome) apply_own_write(*work, opened.results, *reply);
    shape_times_.record(work->script.statements[work->script.main].shape, large_counts_as);
    message::Reply answer = turn.conditioned(std::move(*reply));
    const bool has_body = answer.status == 200 || answer.status == 206;
    if (has_body && turn.request.method != message::Method::head)
        turn.body = std::make_unique<RowsBody>(std::move(work), std::move(opened), turn.trace);
    return answer;
}

asio::awaitable<Result<pg::Opened>> RequestHandler::query(Reading& reading, pg::Timing& timing) {
    Work& work = reading.work;
    reading.call.lane = lane_for(*work);
    if (work->estimate) {
        auto affordable = co_await afford(reading, timing);
        if (!affordable) co_return std::move(affordable).error();
    }
    if (work->on_standby && !reading.primary) {
        const Standby::Read read{*work, reading.values, kept_bytes(*work), reading.token, reading.call};
        auto answer = co_await standby_.ask(read, cache_, timing);
        if (answer) {
            work = Work(work->on_standby);
            co_return std::move(*answer);
        }
    }
    const sql::BoundScript script(work->script, reading.values);
    auto opened = work->streams ? pool_.open(script, reading.call, kept_bytes(*work), timing)
                                : query_whole(*work, script, reading.call, timing);
    auto results = co_await std::move(opened);
    if (results) shape_times_.record(work->script.statements[work->script.main].shape, timing.took);
    co_return results;
}

// Postgres is asked what a shape would cost before it runs it for the first time, and every now and then. One that it cannot
// tell of is let through: the deadline still holds.
asio::awaitable<Result<void>> RequestHandler::afford(const Reading& reading, pg::Timing& timing) {
    const Work work = reading.work;
    const std::uint64_t shape = work->script.statements[work->script.main].shape;
    if (const auto known = costs_->find(shape, net::now())) co_return pipeline::check_cost(*work, *known);
    const sql::BoundScript script(*work->estimate, reading.values);
    pg::Call call = reading.call;
    call.lane = events::LaneClass::slow;
    auto results = co_await pool_.run(script, call, nullptr, timing);
    if (!results) co_return std::move(results).error();
    const auto cost = pipeline::estimated_cost(*work, *results);
    if (!cost) co_return Result<void>();
    costs_->remember(shape, *cost, net::now());
    co_return pipeline::check_cost(*work, *cost);
}

asio::awaitable<Result<pg::Opened>> RequestHandler::query_whole(const pipeline::Work& work, sql::BoundScript script,
                                                                const pg::Call& call, pg::Timing& timing) {
    const auto closing = pipeline::closing(work);
    const sql::Closing* judge = closing ? &*closing : nullptr;
    auto results = co_await pool_.run(script, call, judge, timing);
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
std::optional<fence::Xid> RequestHandler::tell_own_write(const pipeline::Work& work, const sql::Results& results) {
    if (!work.script.outcome || work.script.rolls_back) return std::nullopt;
    const auto invalidation = pipeline::own_invalidation(work, results[*work.script.outcome]);
    if (!invalidation) return std::nullopt;
    cache_.invalidate(*invalidation);
    broadcast_(*invalidation);
    return invalidation->xid;
}

void RequestHandler::apply_own_write(const pipeline::Work& work, const sql::Results& results, message::Reply& reply) {
    if (const auto xid = tell_own_write(work, results)) reply.headers.add("Consistency-Token", std::to_string(*xid));
}

events::LaneClass RequestHandler::lane_for(const pipeline::Work& work) const {
    if (work.route_class == routes::RouteClass::slow || work.script.writes) return events::LaneClass::slow;
    if (work.route_class == routes::RouteClass::fast || work.by_full_key) return events::LaneClass::fast;
    const std::uint64_t shape = work.script.statements[work.script.main].shape;
    return shape_times_.cheap(shape, cheap_limit) ? events::LaneClass::fast : events::LaneClass::slow;
}

}  // namespace millrace::app
