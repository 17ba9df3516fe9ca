// What is done for an answer that a service gives: it is asked, and what it says goes on as it comes.
#include <utility>

#include "millrace/core/upstream.hpp"
#include "millrace/io/net.hpp"
#include "service_body.hpp"
#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;

namespace {

bool is_safe(message::Method method) {
    return method == message::Method::get || method == message::Method::head || method == message::Method::options;
}

}  // namespace

// There is nothing to prepare for it: the request goes on as it is.
Result<pipeline::Prepared> RequestHandler::send_to_service(Turn& turn, const routes::Match& match) {
    if (auto admitted = upstream::admit(*match.upstream, turn.request.method, match.below); !admitted)
        return std::move(admitted).error();
    turn.service = match.upstream;
    turn.match = match;
    return pipeline::Prepared(Work());
}

http::Answer RequestHandler::answer_through_service(Turn& turn, Admission::Ticket ticket) {
    if (auto reply = hit_service_memory(turn)) return charged(turn, std::move(*reply));
    if (admission_.full()) return turn_away(turn);
    return answer_from_service(std::make_unique<Turn>(std::move(turn)), std::move(ticket));
}

asio::awaitable<http::Outgoing> RequestHandler::answer_from_service(std::unique_ptr<Turn> turn, Admission::Ticket ticket) {
    auto reply = co_await ask_service(*turn);
    if (turn->body) turn->body->keep(std::move(ticket));
    co_return charged(*turn, std::move(reply));
}

asio::awaitable<message::Reply> RequestHandler::ask_service(Turn& turn) {
    if (!turn.target_key.empty()) co_return co_await find_or_ask_service(turn);
    if (turn.unread != nullptr) co_return co_await pass_body_on(turn);
    const upstream::Sending sending{*turn.service, turn.request, turn.match.below, turn.trace.request_id};
    auto answer = co_await services_.call(*turn.api, sending, turn.deadline);
    co_return co_await take_answer(turn, std::move(answer));
}

asio::awaitable<message::Reply> RequestHandler::take_answer(Turn& turn, Result<services::Answer> answer) {
    if (!answer) co_return turn.failed(answer.error());
    if (!is_safe(turn.request.method) && answer->head.status < 400) forget_target(turn);
    co_return co_await pass_on(turn, std::move(*answer));
}

// A short answer of a known length is read whole, so that its length can be told.
asio::awaitable<message::Reply> RequestHandler::pass_on(Turn& turn, services::Answer answer) {
    message::Reply reply;
    reply.status = answer.head.status;
    reply.headers = std::move(answer.head.headers);
    routes::add_version_headers(turn.api->table(), reply.headers);
    if (!answer.body) co_return reply;
    const bool is_short =
        answer.head.body == upstream::BodyKind::sized && answer.head.length <= turn.snapshot->settings.http.stream_bytes_min;
    std::string body;
    for (bool more = is_short; more;) {
        auto read = co_await answer.body->next(body);
        if (!read) co_return turn.failed(read.error());
        more = *read;
    }
    if (is_short) {
        reply.body = std::move(body);
    } else {
        turn.body = std::make_unique<ServiceBody>(std::string(), std::move(answer.body), turn.trace);
    }
    co_return reply;
}

}  // namespace millrace::app
