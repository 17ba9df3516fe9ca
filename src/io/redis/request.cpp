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
    return Request{*std::move(bytes), {}, {}};
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
    return Request{*std::move(by_digest), *std::move(by_source), script.sha1};
}

std::optional<Error> refusal(const Node& node, Deadline deadline) {
    if (!node.up()) return redis_down();
    if (node.connection()->full(true)) return Error::of(Fault::overloaded, "Too many commands wait for Redis");
    if (deadline.passed(net::now())) return Error::of(Fault::deadline_passed);
    return std::nullopt;
}

asio::awaitable<Result<Value>> answer_of(std::shared_ptr<Connection> connection, Request request, Deadline deadline) {
    auto call = std::make_shared<Call>();
    call->deadline = deadline;
    send_to(*connection, request, call);
    co_await until_answered(call);
    if (request.sha1.empty() || !forgotten(*call->answer)) co_return *std::move(call->answer);
    auto again = std::make_shared<Call>();
    again->deadline = deadline;
    connection->send(request.source_bytes, again);
    co_await until_answered(again);
    co_return *std::move(again->answer);
}

void send_to(Connection& connection, const Request& request, CallPointer call) {
    const bool by_source = !request.sha1.empty() && !connection.knows(request.sha1);
    connection.send(by_source ? request.source_bytes : request.bytes, std::move(call));
}

}  // namespace millrace::redis
