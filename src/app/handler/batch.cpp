// A batch: each operation is admitted and planned as if it came alone, then all of them are one transaction.
#include "millrace/core/batch.hpp"

#include <utility>

#include "millrace/io/net.hpp"
#include "once.hpp"
#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;

struct RequestHandler::Batch {
    std::vector<batch::Operation> operations;
    std::vector<message::Request> requests;  // views into the operations
    batch::Plan plan;
};

namespace {

// A key is the batch's, whatever its operations are.
Result<std::optional<idempotency::Key>> key_of(const message::Request& request, const auth::Identity& identity,
                                               const routes::ApiCatalog& api) {
    const std::string route = api.version() + "/" + api.table().schema + "/ batch";  // no name of a relation's route
    return idempotency::key_of(request, identity, route, routes::Idempotency::optional);
}

const std::string& role_of(const auth::Identity& identity, const config::DatabaseSettings& settings) {
    static const std::string none = "none";
    if (!identity.role.empty()) return identity.role;
    return settings.anonymous_role.empty() ? none : settings.anonymous_role;
}

}  // namespace

asio::awaitable<http::Outgoing> RequestHandler::answer_batch(std::unique_ptr<Turn> turn, batch::Place place,
                                                             Admission::Ticket ticket) {
    (void)ticket;  // until it is answered
    auto reply = co_await run_batch(*turn, std::move(place));
    co_return turn->outgoing(std::move(reply));
}

asio::awaitable<message::Reply> RequestHandler::run_batch(Turn& turn, batch::Place place) {
    Batch batch;
    const auto read = co_await read_batch(turn, place, batch);
    if (!read) co_return turn.failed(read.error());
    const batch::Plan& plan = batch.plan;
    message::Reply reply;
    const sql::Closing closing = batch::closing(plan, batch.requests, reply);
    auto results = co_await pool_.run(plan.script, turn.call(), &closing, turn.timing);
    turn.note_timing();
    const bool is_repeat = !results && is_of_key(plan.script, turn.timing);
    if (!is_repeat) observer_.on(events::BatchFinished{plan.works.size(), results.has_value()});
    if (results && plan.key) observer_.on(events::IdempotencyKeyUsed{events::IdempotencyResult::stored});
    if (results) {
        for (std::size_t i = 0; i < plan.works.size(); ++i)
            (void)tell_own_write(*plan.works[i], batch::results_of(plan, i, *results));
        co_return reply;
    }
    if (is_repeat) co_return co_await answer_repeat(turn, *plan.key, std::move(results).error());
    const Error& error = results.error();
    const auto operation = batch::operation_at(plan, turn.timing.done);
    const bool is_its_own = operation && error.fault == Fault::database_error;
    co_return turn.failed(is_its_own ? batch::failed(*operation, error) : error);
}

asio::awaitable<Result<void>> RequestHandler::read_batch(Turn& turn, const batch::Place& place, Batch& out) {
    turn.label(*place.api, nullptr, nullptr);
    turn.trace.route = "batch";
    const config::Settings& settings = turn.snapshot->settings;
    auto key = key_of(turn.request, *turn.identity, *place.api);
    if (!key) co_return std::move(key).error();
    auto operations = batch::parse(turn.request.body, place.base, settings.batch.operations_max);
    if (!operations) co_return std::move(operations).error();
    out.operations = std::move(*operations);
    std::vector<Work> works;
    for (const batch::Operation& operation : out.operations) {
        out.requests.push_back(batch::request_of(operation, turn.request));
        auto work = co_await understand_operation(turn, out.requests.back());
        if (!work) co_return batch::failed(works.size(), work.error());
        works.push_back(std::move(*work));
    }
    out.plan = batch::make_plan(std::move(works), *key, role_of(*turn.identity, settings.database));
    co_return Result<void>();
}

// It goes through the same gate, and is charged, as a request of its own would be.
asio::awaitable<Result<RequestHandler::Work>> RequestHandler::understand_operation(Turn& turn,
                                                                                   const message::Request& operation) {
    if (auto ticket = admission_.admit(operation.peer, turn.began); !ticket) co_return std::move(ticket).error();
    http::Trace trace;
    Turn own(operation, trace, turn.snapshot);
    own.in_batch = true;
    own.identity = turn.identity;
    auto prepared = understand(own);
    while (own.lacks_tokens) {
        co_await ask_for_tokens(own);
        prepared = understand(own);
    }
    if (!prepared) co_return std::move(prepared).error();
    const auto* work = std::get_if<Work>(&*prepared);
    if (work == nullptr || *work == nullptr)
        co_return Error::of(Fault::bad_batch).with_details("It is not a matter of the database.");
    if (auto may = batch::may_take_part(**work); !may) co_return std::move(may).error();
    if ((*work)->estimate) {
        const Reading reading{*work, own.values, own.token, turn.call()};
        auto affordable = co_await afford(reading, turn.timing);
        if (!affordable) co_return std::move(affordable).error();
    }
    co_return *work;
}

}  // namespace millrace::app
