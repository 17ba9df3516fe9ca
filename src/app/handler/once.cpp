// Writes with an Idempotency-Key: the first request of a key does what it says and keeps its answer in the same transaction;
// the others get that answer.
#include "once.hpp"

#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;

namespace {

constexpr std::size_t keeps_at = 1;  // the place of the statement that keeps the answer, among those of idempotency::keep()

}  // namespace

bool is_of_key(const sql::Script& script, const pg::Timing& timing) {
    return script.claim && (timing.done == *script.claim || timing.done == script.statements.size() + keeps_at);
}

asio::awaitable<message::Reply> RequestHandler::answer_once(Turn& turn, Work work) {
    message::Reply reply;
    const sql::Closing keeping = pipeline::keeping(*work, reply);
    auto results = co_await pool_.run(work->script, turn.call(), &keeping, turn.timing);
    turn.note_timing();
    if (results) {
        observer_.on(events::IdempotencyKeyUsed{events::IdempotencyResult::stored});
        (void)tell_own_write(*work, *results);
        co_return reply;
    }
    if (!is_of_key(work->script, turn.timing)) co_return turn.failed(results.error());
    co_return co_await answer_repeat(turn, work->kept->key, std::move(results).error());
}

// The key could not be taken, or not be kept. The answer that is there is read in a transaction of its own: the one that found
// it has failed by that.
asio::awaitable<message::Reply> RequestHandler::answer_repeat(Turn& turn, idempotency::Key key, Error error) {
    if (error.code != idempotency::answered) {
        note_refused_key(error);
        co_return turn.failed(idempotency::claim_error(std::move(error)));
    }
    const sql::Script script = idempotency::find(key);
    pg::Call call = turn.call();
    call.lane = events::LaneClass::slow;
    auto results = co_await pool_.run(script, call, nullptr, turn.timing);
    turn.note_timing();
    if (!results) co_return turn.failed(results.error());
    auto reply = idempotency::found(*results);
    using events::IdempotencyResult;
    observer_.on(events::IdempotencyKeyUsed{reply ? IdempotencyResult::replayed : IdempotencyResult::conflict});
    if (!reply) co_return turn.failed(idempotency::under_way());  // it expired in between, and may be asked for anew
    co_return std::move(*reply);
}

void RequestHandler::note_refused_key(const Error& error) {
    using events::IdempotencyResult;
    if (error.code == idempotency::in_progress) observer_.on(events::IdempotencyKeyUsed{IdempotencyResult::conflict});
    if (error.code == idempotency::reused) observer_.on(events::IdempotencyKeyUsed{IdempotencyResult::mismatch});
}

}  // namespace millrace::app
