// Writes with an Idempotency-Key: the first request of a key does what it says and keeps its answer in the same transaction;
// the others get that answer.
#include "turn.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;

constexpr std::size_t keeps_at = 1;  // the place of the statement that keeps the answer, among those of idempotency::keep()

// Not an error of the request's own statements, nor of what COMMIT runs: one of taking its key, or of keeping its answer.
bool is_of_key(const sql::Script& script, const pg::Timing& timing) {
    return timing.done == script.claim || timing.done == script.statements.size() + keeps_at;
}

}  // namespace

asio::awaitable<message::Reply> RequestHandler::answer_once(Turn& turn, Work work) {
    message::Reply reply;
    const sql::Closing keeping = pipeline::keeping(*work, reply);
    const auto lane = events::LaneClass::slow;
    auto results = co_await pool_.run(work->script, lane, work->authenticated, &keeping, turn.deadline, turn.timing);
    turn.note_timing();
    if (results) {
        (void)tell_own_write(*work, *results);
        co_return reply;
    }
    Error& error = results.error();
    if (!is_of_key(work->script, turn.timing)) co_return turn.failed(error);
    if (error.code == idempotency::answered) co_return co_await answer_again(turn, std::move(work));
    co_return turn.failed(idempotency::claim_error(std::move(error)));
}

// A transaction of its own: the one that found the answer has failed by that.
asio::awaitable<message::Reply> RequestHandler::answer_again(Turn& turn, Work work) {
    const sql::Script script = idempotency::find(work->kept->key);
    const auto lane = events::LaneClass::slow;
    auto results = co_await pool_.run(script, lane, work->authenticated, nullptr, turn.deadline, turn.timing);
    turn.note_timing();
    if (!results) co_return turn.failed(results.error());
    auto reply = idempotency::found(*results);
    if (!reply) co_return turn.failed(idempotency::under_way());  // it expired in between, and may be asked for anew
    co_return std::move(*reply);
}

}  // namespace millrace::app
