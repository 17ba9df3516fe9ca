// A request's body on its way to a service: a short one is read whole, so that it can be sent again; a longer one goes on as it
// comes. Nothing of it is asked of the client before the gate has let the request through.
#include <utility>

#include "millrace/core/upstream.hpp"
#include "millrace/io/net.hpp"
#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;

namespace {

// Does more follow than is held? What is announced to be long is not waited for; where nothing was announced, as much is read
// as a short body has.
asio::awaitable<Result<bool>> hold_short(net::Source& body, std::uint64_t short_max, Deadline deadline, std::string& held) {
    const auto length = body.length();
    if (length && *length > short_max) co_return true;
    while (held.size() <= short_max) {
        auto more = co_await body.next(held, deadline);
        if (!more || !*more) co_return more;
    }
    co_return true;
}

}  // namespace

asio::awaitable<message::Reply> RequestHandler::pass_body_on(Turn& turn) {
    std::string held;
    const std::uint64_t short_max = turn.snapshot->settings.http.stream_bytes_min;
    const auto follows = co_await hold_short(*turn.unread, short_max, turn.deadline, held);
    if (!follows) co_return turn.failed(follows.error());
    message::Request request = turn.request;
    upstream::Sending sending{*turn.service, request, turn.match.below, turn.trace.request_id};
    if (!*follows) {
        request.body = held;
        auto answer = co_await services_.call(*turn.api, sending, turn.deadline);
        co_return co_await take_answer(turn, std::move(answer));
    }
    sending.streams = true;
    sending.length = turn.unread->length();
    services::Upload upload{std::move(held), turn.unread};
    auto answer = co_await services_.call(*turn.api, sending, turn.deadline, std::move(upload));
    co_return co_await take_answer(turn, std::move(answer));
}

}  // namespace millrace::app
