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
asio::awaitable<Result<bool>> hold_short(services::Upload& upload, std::uint64_t short_max, Deadline deadline) {
    const auto length = upload.rest->length();
    if (length && *length > short_max) co_return true;
    while (upload.first.size() <= short_max) {
        const Deadline limit = upstream::upload_deadline(deadline, upload.first.size(), upload.bytes_per_s_min);
        auto more = co_await upload.rest->next(upload.first, limit);
        if (!more || !*more) co_return more;
    }
    co_return true;
}

}  // namespace

asio::awaitable<message::Reply> RequestHandler::pass_body_on(Turn& turn) {
    const config::HttpSettings& settings = turn.snapshot->settings.http;
    services::Upload upload{{}, turn.unread, turn.patience ? 0 : settings.upload_bytes_per_s_min};
    const auto follows = co_await hold_short(upload, settings.stream_bytes_min, turn.deadline);
    if (!follows) co_return turn.failed(follows.error());
    message::Request request = turn.request;
    upstream::Sending sending{*turn.service, request, turn.match.below, turn.trace.request_id};
    if (!*follows) {
        request.body = upload.first;
        const Deadline deadline = upstream::upload_deadline(turn.deadline, upload.first.size(), upload.bytes_per_s_min);
        auto answer = co_await services_.call(*turn.api, sending, deadline);
        co_return co_await take_answer(turn, std::move(answer));
    }
    sending.streams = true;
    sending.length = turn.unread->length();
    auto answer = co_await services_.call(*turn.api, sending, turn.deadline, std::move(upload));
    co_return co_await take_answer(turn, std::move(answer));
}

}  // namespace millrace::app
