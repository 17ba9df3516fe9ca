// What is done for an answer that memory does not have: wait for who reads it already, ask Redis, read it for all who want it;
// and what is given when the database cannot answer.
#include <algorithm>
#include <utility>

#include "millrace/core/reply.hpp"
#include "millrace/io/net.hpp"
#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;
using events::CacheReason;

asio::awaitable<message::Reply> RequestHandler::answer_through_cache(Turn& turn, Work work) {
    const std::string& key = turn.cache_key;
    if (!cache_.fenced(net::now())) {
        turn.pass_by(CacheReason::unfenced);
        if (turn.only_if_cached()) co_return turn.failed(Error::of(Fault::not_in_cache));
        co_return co_await fill(turn, std::move(work));
    }
    if (cache_.unkept(key, turn.wall)) {
        turn.pass_by(CacheReason::unkept);
        co_return co_await fill(turn, std::move(work));
    }
    TieredCache::Turn place{cache_.try_ticket(key), {}};
    if (!place.ticket) place = co_await cache_.take_turn(key, turn.ask(net::now()), turn.deadline);
    if (place.found.answers() && turn.accepts(*place.found.entry)) co_return hit(turn, place.found);
    if (!place.ticket) co_return co_await fill(turn, std::move(work));

    TieredCache::Shared shared;
    if (cache_.shares()) {
        TieredCache::Search search{turn.deadline, std::chrono::milliseconds(turn.snapshot->settings.cache.fill_wait_ms)};
        shared = co_await cache_.find_shared(key, turn.ask(net::now()), std::move(search));
    }
    turn.trace.redis = shared.found.redis;
    if (shared.found.use == cache::Use::fresh) cache_.fill(std::move(place.ticket), shared.found.entry);
    if (shared.found.answers() && turn.accepts(*shared.found.entry)) {
        place.ticket = {};
        if (shared.found.use == cache::Use::stale) refresh(turn, work, shared.found);
        co_return hit(turn, shared.found);
    }
    if (turn.only_if_cached()) co_return turn.failed(Error::of(Fault::not_in_cache));
    co_return co_await fill(turn, std::move(work), std::move(place.ticket), std::move(shared.lease));
}

asio::awaitable<message::Reply> RequestHandler::fill(Turn& turn, Work work) {
    return fill(turn, std::move(work), TieredCache::Ticket(), TieredCache::Lease());
}

// Asks the database, and leaves the answer where the next one finds it.
asio::awaitable<message::Reply> RequestHandler::fill(Turn& turn, Work work, TieredCache::Ticket ticket,
                                                     TieredCache::Lease lease) {
    Reading reading{std::move(work), turn.values, turn.token, turn.call()};
    auto read = co_await read_through(std::move(reading), turn.timing);
    turn.note_timing();
    const bool proved =
        read.rest || read.reply || read.reply.error().status < 500;  // a failure says nothing of the next answer
    if (!read.entry && proved) cache_.remember_unkept(turn.cache_key, turn.wall);
    if (!turn.may_store()) read.entry = nullptr;
    if (read.entry) read.entry = cache_.put(turn.cache_key, read.entry, read.cost, turn.windows);
    cache_.fill(std::move(ticket), read.entry);
    lease = {};
    if (read.rest) {
        auto reply = begin(turn, std::move(read.work), std::move(*read.rest));
        turn.missed(reply, false);
        co_return reply;
    }
    if (!read.reply) co_return co_await fail_or_give_stale(turn, read.reply.error());
    if (read.negative) turn.trace.error_code = read.negative->code;
    turn.missed(*read.reply, read.entry != nullptr);
    co_return turn.conditioned(std::move(*read.reply));
}

asio::awaitable<RequestHandler::Read> RequestHandler::read_through(Reading reading, pg::Timing& timing) {
    Read read;
    const fence::PgSnapshot before = cache_.fence().latest();
    const WallTime began = net::wall_now();
    const TimePoint start = net::now();
    const std::uint64_t era = cache_.era();
    auto opened = co_await query(reading, timing);
    read.work = std::move(reading.work);
    if (!opened) {
        read.reply = std::move(opened).error();
        co_return read;
    }
    if (opened->rest) {
        read.rest = std::move(*opened);
        co_return read;
    }
    read.reply = pipeline::finish(*read.work, opened->results, reading.values);
    // One row was asked for and there is another number of them: an answer like any other, and kept like one.
    if (!read.reply && read.reply.error().fault == Fault::not_singular) {
        read.negative = read.reply.error();
        read.reply = error_reply(*read.negative, *read.work->snapshot, read.work->api);
    }
    if (!read.reply) co_return read;
    auto entry = pipeline::to_entry(*read.work, opened->results, *read.reply, before, began, reading.values);
    if (entry && era == cache_.era()) read.entry = std::make_shared<const cache::Entry>(std::move(*entry));
    read.cost = net::now() - start;
    co_return read;
}

asio::awaitable<message::Reply> RequestHandler::fail_or_give_stale(Turn& turn, Error error) {
    if (cache::lets_stale_answer(error.status) && turn.windows.if_error > Duration::zero()) {
        auto ask = turn.ask(net::now());
        ask.now = net::wall_now();
        auto spare = co_await cache_.find_spare(turn.cache_key, ask);
        if (spare.entry && turn.accepts(*spare.entry)) {
            turn.wall = ask.now;
            co_return turn.given_for_error(spare);
        }
    }
    co_return turn.failed(error);
}

// In the background, for whoever comes next: bounded in number, each with a deadline of its own.
void RequestHandler::refresh(const Turn& turn, const Work& work, const Lookup& found) {
    const config::Settings& settings = turn.snapshot->settings;
    if (refreshes_ >= settings.cache.refreshes_max) return;
    auto ticket = cache_.try_ticket(turn.cache_key);
    if (!ticket) return;
    ++refreshes_;
    Refresh what{work, turn.values, turn.cache_key, found.entry, turn.windows, found.early};
    what.deadline.at = net::now() + std::chrono::milliseconds(settings.limits.deadline_ms);
    background_.spawn("refresh", read_anew(std::move(what), std::move(ticket)));
}

asio::awaitable<void> RequestHandler::read_anew(Refresh what, TieredCache::Ticket ticket) {
    const bool ok = co_await read_anew_or_find(what, std::move(ticket));
    --refreshes_;
    observer_.on(events::CacheRefreshed{what.early, ok});
}

asio::awaitable<bool> RequestHandler::read_anew_or_find(const Refresh& what, TieredCache::Ticket ticket) {
    const Ask ask{net::wall_now(), net::now()};
    TieredCache::Search search{what.deadline, Duration::zero(), cache::order_of(*what.old)};
    auto shared = co_await cache_.find_shared(what.key, ask, std::move(search));
    if (shared.found.answers()) cache_.fill(std::move(ticket), shared.found.entry);
    if (!shared.reads) co_return true;  // another replica has it, or is about to
    pg::Timing timing;
    Reading reading{what.work, what.values, std::nullopt, what.call()};
    auto read = co_await read_through(std::move(reading), timing);
    if (read.entry) read.entry = cache_.put(what.key, read.entry, read.cost, what.windows);
    cache_.fill(std::move(ticket), read.entry);
    co_return read.entry != nullptr;
}

}  // namespace millrace::app
