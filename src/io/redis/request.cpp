// Sends commands: scripts by their digest where the connection's server knows them.
#include "request.hpp"

#include <utility>
#include <vector>

#include "millrace/io/net.hpp"

namespace millrace::redis {
namespace {

bool forgotten(const Result<Value>& reply) {
    return reply && reply->kind == ValueKind::error && reply->text.starts_with("NOSCRIPT");
}

}  // namespace

std::optional<Request> request_of(std::span<const std::string_view> arguments) {
    auto bytes = format(arguments);
    if (!bytes) return std::nullopt;
    return Request{*std::move(bytes), nullptr};
}

std::optional<Request> request_of(const Script& script, std::span<const std::string_view> keys,
                                  std::span<const std::string_view> arguments) {
    const std::string key_count = std::to_string(keys.size());
    std::vector<std::string_view> words = {"EVALSHA", script.sha1, key_count};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    auto by_digest = format(words);
    words[0] = "EVAL";
    words[1] = script.source;
    auto by_source = format(words);
    if (!by_digest || !by_source) return std::nullopt;
    auto source = std::make_shared<const Request::BySource>(Request::BySource{*std::move(by_source), script.sha1});
    return Request{*std::move(by_digest), std::move(source)};
}

std::optional<Error> refusal(Node& node, Deadline deadline) {
    if (!node.up()) return redis_down();
    if (node.connection()->full(true)) return Error::of(Fault::overloaded, "Too many commands wait for Redis");
    const TimePoint now = net::now();
    if (deadline.passed(now)) return Error::of(Fault::deadline_passed);
    if (!node.breaker().allows(now)) return Error::of(Fault::circuit_open);
    return std::nullopt;
}

namespace {

asio::awaitable<Result<Value>> plain_answer(std::shared_ptr<Connection> connection, std::string bytes, Deadline deadline) {
    auto call = std::make_shared<Call>();
    call->deadline = deadline;
    connection->send(bytes, call);
    co_await until_answered(call);
    co_return *std::move(call->answer);
}

asio::awaitable<Result<Value>> script_answer(std::shared_ptr<Connection> connection, Request request, Deadline deadline) {
    auto call = std::make_shared<Call>();
    call->deadline = deadline;
    send_to(*connection, request, call);
    co_await until_answered(call);
    if (!forgotten(*call->answer)) co_return *std::move(call->answer);
    co_return co_await plain_answer(connection, request.by_source->bytes, deadline);
}

}  // namespace

asio::awaitable<Result<Value>> answer_of(std::shared_ptr<Connection> connection, Request request, Deadline deadline) {
    if (request.by_source) return script_answer(std::move(connection), std::move(request), deadline);
    return plain_answer(std::move(connection), std::move(request.bytes), deadline);
}

void send_to(Connection& connection, const Request& request, CallPointer call) {
    const bool by_source = request.by_source && !connection.knows(request.by_source->sha1);
    connection.send(by_source ? request.by_source->bytes : request.bytes, std::move(call));
}

}  // namespace millrace::redis
